//! The body of a closed trade.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    Others,
    fields::{
        Amount, Field, Optional, Required, boolean, choice, money, price, quantity, rsi, strategy, symbol, time,
        user_id, uuid,
    },
    object,
};
use crate::TradeBody;

pub(super) fn trade_fields() -> Vec<Field> {
    let reasons = ["TARGET", "STOP", "TIME", "SIGNAL", "SESSION", "MANUAL", "OTHER"];
    vec![
        uuid("event_id", Optional, "Your id of the trade; sent again, it counts once. Made here if you send none."),
        user_id(Optional),
        uuid("signal_id", Optional, "The signal that it came from."),
        uuid("decision_id", Optional, "The decision that it came from."),
        symbol(),
        choice("side", Required, &["LONG", "SHORT"], "Direction."),
        strategy(),
        quantity(),
        price("entry_price", Required, "Price at entry."),
        price("exit_price", Required, "Price at exit."),
        money("pnl", Required, &Amount::Any, "Profit or loss, USD."),
        time("entry_time", Optional, "When it was entered."),
        time(
            "exit_time",
            Optional,
            "When it was closed, not before `entry_time`; the time of arrival if you send none.",
        ),
        price("entry_vwap", Optional, "Volume-weighted average price at entry."),
        rsi("entry_rsi", Optional),
        price("exit_vwap", Optional, "Volume-weighted average price at exit."),
        rsi("exit_rsi", Optional),
        choice("exit_reason", Optional, &reasons, "Why it ended."),
        money("max_adverse", Optional, &Amount::Any, "Worst unrealised loss on the way, USD."),
        money("max_favourable", Optional, &Amount::Any, "Best unrealised profit on the way, USD."),
        boolean(
            "simulated",
            Optional,
            "The outcome of a trade that was not taken: models learn from it, totals of money don't count it.",
        ),
        money(
            "fees",
            Optional,
            &Amount::Any,
            "Commissions and fees paid, USD; negative for a rebate. Whether `pnl` is before or after them is yours.",
        ),
    ]
}

impl ToSchema for TradeBody<'_> {
    fn name() -> Cow<'static, str> {
        "Trade".into()
    }
}

impl PartialSchema for TradeBody<'_> {
    fn schema() -> RefOr<Schema> {
        object("A closed trade.", Others::Refused, trade_fields())
    }
}
