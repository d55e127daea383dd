//! The body of a closed trade.

use std::borrow::Cow;

use hindcast_domain::{Instruments, MoneyE9, Side, TimestampUs, ids::imported_event_id};
use hindcast_schemas::{ExitReason, ImportPlace, TradeClosed};
use serde::de::MapAccess;
use uuid::Uuid;

use crate::{
    Invalid, Stamp,
    import::ImportDraft,
    item::ItemKind,
    object::{Object, Reader, Slot, Unknown, read_body},
    rules,
};

/// A closed trade as a client sent it, valid.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeBody<'a> {
    pub(crate) event_id: Option<Uuid>,
    pub(crate) user_id: Option<Cow<'a, str>>,
    pub(crate) import: Option<ImportPlace<'a>>,
    pub(crate) symbol: Cow<'a, str>,
    pub(crate) strategy: Option<Cow<'a, str>>,
    pub(crate) signal_id: Option<Uuid>,
    pub(crate) decision_id: Option<Uuid>,
    pub(crate) side: Side,
    pub(crate) quantity: Option<f64>,
    pub(crate) entry_price: MoneyE9,
    pub(crate) exit_price: MoneyE9,
    pub(crate) pnl: MoneyE9,
    pub(crate) entry_time: Option<TimestampUs>,
    pub(crate) exit_time: Option<TimestampUs>,
    pub(crate) entry_vwap: Option<MoneyE9>,
    pub(crate) entry_rsi: Option<f64>,
    pub(crate) exit_vwap: Option<MoneyE9>,
    pub(crate) exit_rsi: Option<f64>,
    pub(crate) exit_reason: Option<ExitReason>,
    pub(crate) max_adverse: Option<MoneyE9>,
    pub(crate) max_favourable: Option<MoneyE9>,
    pub(crate) simulated: bool,
    pub(crate) fees: Option<MoneyE9>,
}

/// Reads the body of `POST /v1/trades`.
///
/// # Errors
/// All faults at once.
pub fn parse_trade<'a>(body: &'a [u8], instruments: &Instruments) -> Result<TradeBody<'a>, Invalid> {
    parse(body, instruments, false)
}

pub(crate) fn parse<'a>(body: &'a [u8], instruments: &Instruments, item: bool) -> Result<TradeBody<'a>, Invalid> {
    let mut draft = TradeDraft { item, ..TradeDraft::default() };
    let mut faults = read_body(body, &mut draft, Unknown::Refuse)?;
    faults.require_symbol(&draft.symbol, instruments);
    faults.require("side", &draft.side);
    faults.require("entry_price", &draft.entry_price);
    faults.require("exit_price", &draft.exit_price);
    faults.require("pnl", &draft.pnl);
    if let (Some(entry), Some(exit)) = (draft.entry_time.as_given(), draft.exit_time.as_given())
        && exit < entry
    {
        faults.add("exit_time", "must not be before entry_time");
    }
    let import = draft.import.given().and_then(|import| import.finish(&mut faults));
    let (true, Some(symbol), Some(side), Some(entry_price), Some(exit_price), Some(pnl)) = (
        faults.is_empty(),
        draft.symbol.given(),
        draft.side.given(),
        draft.entry_price.given(),
        draft.exit_price.given(),
        draft.pnl.given(),
    ) else {
        return Err(faults.into_invalid());
    };
    Ok(TradeBody {
        event_id: draft.event_id.given(),
        user_id: draft.user_id.given(),
        import,
        symbol,
        strategy: draft.strategy.given(),
        signal_id: draft.signal_id.given(),
        decision_id: draft.decision_id.given(),
        side,
        quantity: draft.quantity.given(),
        entry_price,
        exit_price,
        pnl,
        entry_time: draft.entry_time.given(),
        exit_time: draft.exit_time.given(),
        entry_vwap: draft.entry_vwap.given(),
        entry_rsi: draft.entry_rsi.given(),
        exit_vwap: draft.exit_vwap.given(),
        exit_rsi: draft.exit_rsi.given(),
        exit_reason: draft.exit_reason.given(),
        max_adverse: draft.max_adverse.given(),
        max_favourable: draft.max_favourable.given(),
        simulated: draft.simulated.given().unwrap_or(false),
        fees: draft.fees.given(),
    })
}

#[derive(Default)]
struct TradeDraft<'a> {
    /// Whether it is an item of a batch, which has a type and may have a place in an import.
    item: bool,
    kind: Slot<ItemKind>,
    import: Slot<ImportDraft<'a>>,
    event_id: Slot<Uuid>,
    user_id: Slot<Cow<'a, str>>,
    symbol: Slot<Cow<'a, str>>,
    strategy: Slot<Cow<'a, str>>,
    signal_id: Slot<Uuid>,
    decision_id: Slot<Uuid>,
    side: Slot<Side>,
    quantity: Slot<f64>,
    entry_price: Slot<MoneyE9>,
    exit_price: Slot<MoneyE9>,
    pnl: Slot<MoneyE9>,
    entry_time: Slot<TimestampUs>,
    exit_time: Slot<TimestampUs>,
    entry_vwap: Slot<MoneyE9>,
    entry_rsi: Slot<f64>,
    exit_vwap: Slot<MoneyE9>,
    exit_rsi: Slot<f64>,
    exit_reason: Slot<ExitReason>,
    max_adverse: Slot<MoneyE9>,
    max_favourable: Slot<MoneyE9>,
    simulated: Slot<bool>,
    fees: Slot<MoneyE9>,
}

impl<'a> Object<'a> for TradeDraft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "event_id" => reader.take("event_id", &mut self.event_id, rules::uuid),
            "user_id" => reader.take("user_id", &mut self.user_id, rules::user_id),
            "symbol" => reader.take("symbol", &mut self.symbol, rules::text_as_sent),
            "strategy" => reader.take("strategy", &mut self.strategy, rules::strategy),
            "signal_id" => reader.take("signal_id", &mut self.signal_id, rules::uuid),
            "decision_id" => reader.take("decision_id", &mut self.decision_id, rules::uuid),
            "side" => reader.take("side", &mut self.side, rules::side),
            "quantity" => reader.take("quantity", &mut self.quantity, rules::quantity),
            "entry_price" => reader.take("entry_price", &mut self.entry_price, rules::price),
            "exit_price" => reader.take("exit_price", &mut self.exit_price, rules::price),
            "pnl" => reader.take("pnl", &mut self.pnl, rules::money),
            "entry_time" => reader.take("entry_time", &mut self.entry_time, rules::time),
            "exit_time" => reader.take("exit_time", &mut self.exit_time, rules::time),
            "entry_vwap" => reader.take("entry_vwap", &mut self.entry_vwap, rules::price),
            "entry_rsi" => reader.take("entry_rsi", &mut self.entry_rsi, rules::rsi),
            "exit_vwap" => reader.take("exit_vwap", &mut self.exit_vwap, rules::price),
            "exit_rsi" => reader.take("exit_rsi", &mut self.exit_rsi, rules::rsi),
            "exit_reason" => reader.take("exit_reason", &mut self.exit_reason, rules::exit_reason),
            "max_adverse" => reader.take("max_adverse", &mut self.max_adverse, rules::money),
            "max_favourable" => reader.take("max_favourable", &mut self.max_favourable, rules::money),
            "simulated" => reader.take("simulated", &mut self.simulated, rules::boolean),
            "fees" => reader.take("fees", &mut self.fees, rules::money),
            "type" if self.item => reader.take("type", &mut self.kind, ItemKind::rule),
            "import" if self.item => reader.object("import", &mut self.import, ImportDraft::default()),
            unknown => reader.unknown(unknown),
        }
    }
}

impl<'a> TradeBody<'a> {
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
    /// the stamp's. It occurred when the trade was closed, if the client says when.
    #[must_use]
    pub fn into_event<'e>(self, user: &'e str, stamp: &Stamp) -> TradeClosed<'e>
    where
        'a: 'e,
    {
        let imported = || self.import.as_ref().map(|place| imported_event_id(user, &place.source, place.sequence));
        TradeClosed {
            event_id: self.event_id.or_else(imported).unwrap_or(stamp.event_id),
            user_id: Cow::Borrowed(user),
            symbol: self.symbol,
            strategy: self.strategy,
            occurred_at: self.exit_time.unwrap_or(stamp.now),
            received_at: stamp.now,
            import: self.import,
            signal_id: self.signal_id,
            decision_id: self.decision_id,
            side: self.side,
            quantity: self.quantity,
            entry_price_e9: self.entry_price,
            exit_price_e9: self.exit_price,
            pnl_e9: self.pnl,
            entry_time: self.entry_time,
            exit_time: self.exit_time,
            entry_vwap_e9: self.entry_vwap,
            entry_rsi: self.entry_rsi,
            exit_vwap_e9: self.exit_vwap,
            exit_rsi: self.exit_rsi,
            exit_reason: self.exit_reason,
            max_adverse_e9: self.max_adverse,
            max_favourable_e9: self.max_favourable,
            simulated: self.simulated,
            fees_e9: self.fees,
        }
    }
}
