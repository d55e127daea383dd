//! The body of a signal.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    Others,
    fields::{
        Field, Optional, Required, choice, features, measure, number, price, rsi, session, strategy, symbol, time,
        user_id, uuid,
    },
    object,
};
use crate::SignalBody;

pub(super) fn signal_fields() -> Vec<Field> {
    vec![
        uuid("event_id", Optional, "Your id of the signal; sent again, it counts once. Made here if you send none."),
        user_id(Optional),
        time("occurred_at", Optional, "When the signal was seen; the time of arrival if you send none."),
        symbol(),
        strategy(),
        choice("side", Required, &["LONG", "SHORT"], "Direction."),
        price("price", Required, "Price at the signal."),
        rsi("rsi", Required),
        price("vwap", Optional, "Volume-weighted average price."),
        number(
            "vwap_distance",
            Optional,
            -100.0,
            100.0,
            "`(price - vwap) / vwap * 100`, for clients that don't send `vwap`; beside it, it must agree.",
        ),
        measure("volume", "Contracts traded in the bar of the signal."),
        measure("atr", "Average true range, in price points."),
        measure("volume_ratio", "Volume as a multiple of its average."),
        features(),
        measure("spread", "Ask less bid at the signal, in price points."),
        session(),
    ]
}

impl ToSchema for SignalBody<'_> {
    fn name() -> Cow<'static, str> {
        "Signal".into()
    }
}

impl PartialSchema for SignalBody<'_> {
    fn schema() -> RefOr<Schema> {
        object("A signal that a bot saw.", Others::Refused, signal_fields())
    }
}
