//! The body of `POST /api/ml/save_trade`.

use std::borrow::Cow;

use hindcast_domain::{Instruments, MoneyE9, Side};
use serde::de::MapAccess;

use crate::{
    Invalid, TradeBody,
    object::{Object, Reader, Slot, Unknown, read_body},
    rules,
};

/// Reads `{user_id, symbol, side, entry_price, exit_price, pnl, entry_vwap, entry_rsi, exit_vwap, exit_rsi,
/// ml_confidence, duration, signal}`, the last six optional.
///
/// A VWAP of zero is one that the bot does not know. `ml_confidence`, `duration` and `signal` are not kept: the first
/// is in the decision, the second had no unit, the third repeats the side.
///
/// # Errors
/// All faults at once.
pub fn parse_save_trade<'a>(body: &'a [u8], instruments: &Instruments) -> Result<TradeBody<'a>, Invalid> {
    let mut draft = Draft::default();
    let mut faults = read_body(body, &mut draft, Unknown::Ignore)?;
    faults.require("user_id", &draft.user_id);
    faults.require_symbol(&draft.symbol, instruments);
    faults.require("side", &draft.side);
    faults.require("entry_price", &draft.entry_price);
    faults.require("exit_price", &draft.exit_price);
    faults.require("pnl", &draft.pnl);
    faults.require("entry_vwap", &draft.entry_vwap);
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
        event_id: None,
        user_id: draft.user_id.given(),
        import: None,
        symbol,
        strategy: None,
        signal_id: None,
        decision_id: None,
        side,
        quantity: None,
        entry_price,
        exit_price,
        pnl,
        entry_time: None,
        exit_time: None,
        entry_vwap: draft.entry_vwap.given().flatten(),
        entry_rsi: draft.entry_rsi.given(),
        exit_vwap: draft.exit_vwap.given().flatten(),
        exit_rsi: draft.exit_rsi.given(),
        exit_reason: None,
        max_adverse: None,
        max_favourable: None,
        fees: None,
        simulated: false,
    })
}

#[derive(Default)]
struct Draft<'a> {
    user_id: Slot<Cow<'a, str>>,
    symbol: Slot<Cow<'a, str>>,
    side: Slot<Side>,
    entry_price: Slot<MoneyE9>,
    exit_price: Slot<MoneyE9>,
    pnl: Slot<MoneyE9>,
    entry_vwap: Slot<Option<MoneyE9>>,
    entry_rsi: Slot<f64>,
    exit_vwap: Slot<Option<MoneyE9>>,
    exit_rsi: Slot<f64>,
}

impl<'a> Object<'a> for Draft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "user_id" => reader.take("user_id", &mut self.user_id, rules::user_id),
            "symbol" => reader.take("symbol", &mut self.symbol, rules::text_as_sent),
            "side" => reader.take("side", &mut self.side, rules::side_in_any_case),
            "entry_price" => reader.take("entry_price", &mut self.entry_price, rules::price),
            "exit_price" => reader.take("exit_price", &mut self.exit_price, rules::price),
            "pnl" => reader.take("pnl", &mut self.pnl, rules::money),
            "entry_vwap" => reader.take("entry_vwap", &mut self.entry_vwap, rules::price_or_zero),
            "entry_rsi" => reader.take("entry_rsi", &mut self.entry_rsi, rules::rsi),
            "exit_vwap" => reader.take("exit_vwap", &mut self.exit_vwap, rules::price_or_zero),
            "exit_rsi" => reader.take("exit_rsi", &mut self.exit_rsi, rules::rsi),
            ignored => reader.unknown(ignored),
        }
    }
}
