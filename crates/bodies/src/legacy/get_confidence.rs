//! The body of `POST /api/ml/get_confidence`, in both its shapes.

use std::borrow::Cow;

use hindcast_domain::{Instruments, MoneyE9, Side};
use hindcast_schemas::vwap_distance_percent;
use serde::de::MapAccess;

use crate::{
    Invalid, SignalBody,
    object::{Object, Reader, Slot, Unknown, read_body},
    rules,
    signal::Distance,
};

/// Reads `{user_id, symbol, signal_type, vwap_distance, rsi}` or `{user_id, symbol, vwap, rsi, price, volume, signal}`.
///
/// The distance of the first shape is in percent and has no sign. That of the second is computed. A body that mixes
/// both is read as the second with whatever the first adds.
///
/// # Errors
/// All faults at once.
pub fn parse_get_confidence<'a>(body: &'a [u8], instruments: &Instruments) -> Result<SignalBody<'a>, Invalid> {
    let mut draft = Draft::default();
    let mut faults = read_body(body, &mut draft, Unknown::Ignore)?;
    faults.require("user_id", &draft.user_id);
    faults.require_symbol(&draft.symbol, instruments);
    faults.require("rsi", &draft.rsi);
    match (&draft.signal_type, &draft.signal) {
        (Slot::Given(one), Slot::Given(other)) if one != other => {
            faults.add("signal", "must be the same as signal_type");
        }
        (one, other) if one.is_missing() && other.is_missing() => {
            faults.add("signal_type", "is required, or signal");
        }
        _ => {}
    }
    if draft.distance.is_missing() {
        match (draft.price.is_missing(), draft.vwap.is_missing()) {
            (true, true) => faults.add("vwap_distance", "is required, or price and vwap"),
            (true, false) => faults.add("price", "is required beside vwap"),
            (false, true) => faults.add("vwap", "is required beside price"),
            (false, false) => {}
        }
    }
    let (price, vwap) = (draft.price.given(), draft.vwap.given());
    let computed = vwap_distance_percent(price, vwap).map(Distance::signed);
    let distance = computed.or(draft.distance.given().map(Distance::without_sign)).unwrap_or_default();
    let side = draft.signal_type.given().or(draft.signal.given());
    let (true, Some(symbol), Some(side)) = (faults.is_empty(), draft.symbol.given(), side) else {
        return Err(faults.into_invalid());
    };
    Ok(SignalBody {
        event_id: None,
        user_id: draft.user_id.given(),
        occurred_at: None,
        import: None,
        symbol,
        strategy: None,
        side,
        price,
        rsi: draft.rsi.given(),
        vwap,
        distance,
        volume: draft.volume.given(),
        atr: None,
        volume_ratio: None,
        spread: None,
        session: None,
        features: Vec::new(),
    })
}

#[derive(Default)]
struct Draft<'a> {
    user_id: Slot<Cow<'a, str>>,
    symbol: Slot<Cow<'a, str>>,
    signal_type: Slot<Side>,
    signal: Slot<Side>,
    price: Slot<MoneyE9>,
    rsi: Slot<f64>,
    vwap: Slot<MoneyE9>,
    distance: Slot<f64>,
    volume: Slot<f64>,
}

impl<'a> Object<'a> for Draft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "user_id" => reader.take("user_id", &mut self.user_id, rules::user_id),
            "symbol" => reader.take("symbol", &mut self.symbol, rules::text_as_sent),
            "signal_type" => reader.take("signal_type", &mut self.signal_type, rules::side),
            "signal" => reader.take("signal", &mut self.signal, rules::side),
            "price" => reader.take("price", &mut self.price, rules::price),
            "rsi" => reader.take("rsi", &mut self.rsi, rules::rsi),
            "vwap" => reader.take("vwap", &mut self.vwap, rules::price),
            "vwap_distance" => reader.take("vwap_distance", &mut self.distance, rules::legacy_distance),
            "volume" => reader.take("volume", &mut self.volume, rules::measure),
            ignored => reader.unknown(ignored),
        }
    }
}
