//! Bodies of the routes that existing bots use.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, schema::OneOfBuilder},
};

use super::{
    Others,
    fields::{Amount, Optional, Required, choice, measure, money, not_kept, number, price, rsi, symbol, user_id},
    object,
};

/// The body of `POST /api/ml/get_confidence`. Only describes; [`crate::legacy::parse_get_confidence`] reads.
#[derive(Debug)]
pub enum GetConfidenceRequest {}

/// The body of `POST /api/ml/save_trade`. Only describes; [`crate::legacy::parse_save_trade`] reads.
#[derive(Debug)]
pub enum SaveTradeRequest {}

const SIDES: [&str; 2] = ["LONG", "SHORT"];

impl ToSchema for GetConfidenceRequest {}

impl PartialSchema for GetConfidenceRequest {
    fn schema() -> RefOr<Schema> {
        let with_distance = [
            user_id(Required),
            symbol(),
            choice("signal_type", Required, &SIDES, "Direction."),
            number(
                "vwap_distance",
                Required,
                0.0,
                10.0,
                "Distance of the price from VWAP without its sign, in percent.",
            ),
            rsi("rsi", Required),
        ];
        let with_prices = [
            user_id(Required),
            symbol(),
            choice("signal", Required, &SIDES, "Direction."),
            price("price", Required, "Price at the signal."),
            price("vwap", Required, "Volume-weighted average price."),
            rsi("rsi", Required),
            measure("volume", "Contracts traded in the bar of the signal."),
        ];
        let either = OneOfBuilder::new()
            .item(object("With a distance.", Others::Ignored, with_distance))
            .item(object("With prices.", Others::Ignored, with_prices))
            .description(Some("A signal, in either of two shapes."));
        RefOr::T(either.build().into())
    }
}

impl ToSchema for SaveTradeRequest {}

impl PartialSchema for SaveTradeRequest {
    fn schema() -> RefOr<Schema> {
        let about_side = "Direction, in any case.";
        object(
            "A closed trade.",
            Others::Ignored,
            [
                user_id(Required),
                symbol(),
                choice("side", Required, &["long", "short", "LONG", "SHORT"], about_side),
                price("entry_price", Required, "Price at entry."),
                price("exit_price", Required, "Price at exit."),
                money("pnl", Required, &Amount::Any, "Profit or loss, USD."),
                money("entry_vwap", Required, &Amount::NotBelowZero, "VWAP at entry; 0 if not known."),
                rsi("entry_rsi", Optional),
                money("exit_vwap", Optional, &Amount::NotBelowZero, "VWAP at exit; 0 if not known."),
                rsi("exit_rsi", Optional),
                not_kept("ml_confidence", "Not kept: the decision has it."),
                not_kept("duration", "Not kept: it has no unit."),
                not_kept("signal", "Not kept: it repeats the side."),
            ],
        )
    }
}
