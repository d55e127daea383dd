//! The body of a signal.

use std::borrow::Cow;

use hindcast_domain::{Instruments, MoneyE9, Side, TimestampUs, ids::imported_event_id};
use hindcast_schemas::{ImportPlace, SignalReceived, vwap_distance_percent};
use serde::de::MapAccess;
use uuid::Uuid;

use crate::{
    Invalid, Stamp,
    features::FeaturesDraft,
    import::ImportDraft,
    item::ItemKind,
    object::{Object, Reader, Slot, Unknown, read_body},
    rules,
};

/// A signal as a client sent it, valid.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalBody<'a> {
    pub(crate) event_id: Option<Uuid>,
    pub(crate) user_id: Option<Cow<'a, str>>,
    pub(crate) occurred_at: Option<TimestampUs>,
    pub(crate) import: Option<ImportPlace<'a>>,
    pub(crate) symbol: Cow<'a, str>,
    pub(crate) strategy: Option<Cow<'a, str>>,
    pub(crate) side: Side,
    pub(crate) price: Option<MoneyE9>,
    pub(crate) rsi: Option<f64>,
    pub(crate) vwap: Option<MoneyE9>,
    pub(crate) distance: Distance,
    pub(crate) volume: Option<f64>,
    pub(crate) atr: Option<f64>,
    pub(crate) volume_ratio: Option<f64>,
    pub(crate) features: Vec<(Cow<'a, str>, f64)>,
    pub(crate) spread: Option<f64>,
    pub(crate) session: Option<Cow<'a, str>>,
}

/// How far the price is from VWAP, in percent, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Distance {
    pub(crate) signed: Option<f64>,
    pub(crate) without_sign: Option<f64>,
}

impl Distance {
    pub(crate) fn signed(percent: f64) -> Self {
        Self { signed: Some(percent), without_sign: Some(percent.abs()) }
    }

    pub(crate) fn without_sign(percent: f64) -> Self {
        Self { signed: None, without_sign: Some(percent) }
    }
}

/// How far a distance that a client sends may be from that of the price and VWAP beside it: in percent, and as a part
/// of it. Clients round; a client that is off by more computes something else, most often a fraction.
const DISTANCE_TOLERANCE_PERCENT: f64 = 0.01;
const DISTANCE_TOLERANCE_RELATIVE: f64 = 0.01;

/// Reads the body of `POST /v1/signals` and of `POST /v1/confidence`.
///
/// Where price and VWAP are both there, the distance is theirs; a `vwap_distance` beside them must agree with it.
///
/// # Errors
/// All faults at once.
pub fn parse_signal<'a>(body: &'a [u8], instruments: &Instruments) -> Result<SignalBody<'a>, Invalid> {
    parse(body, instruments, false)
}

pub(crate) fn parse<'a>(body: &'a [u8], instruments: &Instruments, item: bool) -> Result<SignalBody<'a>, Invalid> {
    let mut draft = SignalDraft { item, ..SignalDraft::default() };
    let mut faults = read_body(body, &mut draft, Unknown::Refuse)?;
    faults.require_symbol(&draft.symbol, instruments);
    faults.require("side", &draft.side);
    faults.require("price", &draft.price);
    faults.require("rsi", &draft.rsi);
    let features = draft.features.given().map(|features| features.finish(&mut faults)).unwrap_or_default();
    let import = draft.import.given().and_then(|import| import.finish(&mut faults));
    let computed = vwap_distance_percent(draft.price.as_given().copied(), draft.vwap.as_given().copied());
    let sent = draft.distance.given();
    if let (Some(computed), Some(sent)) = (computed, sent) {
        let tolerance = DISTANCE_TOLERANCE_PERCENT + DISTANCE_TOLERANCE_RELATIVE * computed.abs();
        if (computed - sent).abs() > tolerance {
            faults.add(
                "vwap_distance",
                format!("must be about {computed:.4}, the distance of price from vwap in percent"),
            );
        }
    }
    let price = draft.price.given();
    let rsi = draft.rsi.given();
    let (true, Some(symbol), Some(side)) = (faults.is_empty(), draft.symbol.given(), draft.side.given()) else {
        return Err(faults.into_invalid());
    };
    Ok(SignalBody {
        event_id: draft.event_id.given(),
        user_id: draft.user_id.given(),
        occurred_at: draft.occurred_at.given(),
        import,
        symbol,
        strategy: draft.strategy.given(),
        side,
        price,
        rsi,
        vwap: draft.vwap.given(),
        distance: computed.or(sent).map(Distance::signed).unwrap_or_default(),
        volume: draft.volume.given(),
        atr: draft.atr.given(),
        volume_ratio: draft.volume_ratio.given(),
        features,
        spread: draft.spread.given(),
        session: draft.session.given(),
    })
}

#[derive(Default)]
struct SignalDraft<'a> {
    /// Whether it is an item of a batch, which has a type and may have a place in an import.
    item: bool,
    kind: Slot<ItemKind>,
    import: Slot<ImportDraft<'a>>,
    event_id: Slot<Uuid>,
    user_id: Slot<Cow<'a, str>>,
    occurred_at: Slot<TimestampUs>,
    symbol: Slot<Cow<'a, str>>,
    strategy: Slot<Cow<'a, str>>,
    side: Slot<Side>,
    price: Slot<MoneyE9>,
    rsi: Slot<f64>,
    vwap: Slot<MoneyE9>,
    distance: Slot<f64>,
    volume: Slot<f64>,
    atr: Slot<f64>,
    volume_ratio: Slot<f64>,
    features: Slot<FeaturesDraft<'a>>,
    spread: Slot<f64>,
    session: Slot<Cow<'a, str>>,
}

impl<'a> Object<'a> for SignalDraft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "event_id" => reader.take("event_id", &mut self.event_id, rules::uuid),
            "user_id" => reader.take("user_id", &mut self.user_id, rules::user_id),
            "occurred_at" => reader.take("occurred_at", &mut self.occurred_at, rules::time),
            "symbol" => reader.take("symbol", &mut self.symbol, rules::text_as_sent),
            "strategy" => reader.take("strategy", &mut self.strategy, rules::strategy),
            "side" => reader.take("side", &mut self.side, rules::side),
            "price" => reader.take("price", &mut self.price, rules::price),
            "rsi" => reader.take("rsi", &mut self.rsi, rules::rsi),
            "vwap" => reader.take("vwap", &mut self.vwap, rules::price),
            "vwap_distance" => reader.take("vwap_distance", &mut self.distance, rules::distance),
            "volume" => reader.take("volume", &mut self.volume, rules::measure),
            "atr" => reader.take("atr", &mut self.atr, rules::measure),
            "volume_ratio" => reader.take("volume_ratio", &mut self.volume_ratio, rules::measure),
            "features" => reader.object("features", &mut self.features, FeaturesDraft::default()),
            "spread" => reader.take("spread", &mut self.spread, rules::measure),
            "session" => reader.take("session", &mut self.session, rules::session),
            "type" if self.item => reader.take("type", &mut self.kind, ItemKind::rule),
            "import" if self.item => reader.object("import", &mut self.import, ImportDraft::default()),
            unknown => reader.unknown(unknown),
        }
    }
}

impl<'a> SignalBody<'a> {
    /// The id that the client gave the event.
    #[must_use]
    pub fn event_id(&self) -> Option<Uuid> {
        self.event_id
    }

    /// The user that the client named.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The instrument.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Whether sending the body again gives the same event: it has an id or a place in an import.
    #[must_use]
    pub fn has_own_id(&self) -> bool {
        self.event_id.is_some() || self.import.is_some()
    }

    /// The event, owned by the credential's user. Its id is the client's, else that of its place in an import, else
    /// the stamp's.
    #[must_use]
    pub fn into_event<'e>(self, user: &'e str, stamp: &Stamp) -> SignalReceived<'e>
    where
        'a: 'e,
    {
        let imported = || self.import.as_ref().map(|place| imported_event_id(user, &place.source, place.sequence));
        SignalReceived {
            event_id: self.event_id.or_else(imported).unwrap_or(stamp.event_id),
            user_id: Cow::Borrowed(user),
            symbol: self.symbol,
            strategy: self.strategy,
            occurred_at: self.occurred_at.unwrap_or(stamp.now),
            received_at: stamp.now,
            import: self.import,
            side: self.side,
            price_e9: self.price,
            rsi: self.rsi,
            vwap_e9: self.vwap,
            vwap_distance_percent: self.distance.signed,
            vwap_distance_abs_percent: self.distance.without_sign,
            volume: self.volume,
            atr: self.atr,
            volume_ratio: self.volume_ratio,
            features: self.features,
            spread: self.spread,
            session: self.session,
        }
    }
}
