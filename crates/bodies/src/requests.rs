//! The bodies as OpenAPI describes them. Nothing is read through these types: the parsers say what is wrong with a body
//! in more ways than a schema can.

#![allow(dead_code)] // described only

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A price or an amount of money: a number, rounded half-even to 1e-9, or a decimal string, exact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Amount {
    /// Rounded half-even to 1e-9.
    Number(f64),
    /// At most 9 decimals.
    Decimal(String),
}

/// The direction of a signal or a trade.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SideName {
    /// Profits when the price rises.
    Long,
    /// Profits when the price falls.
    Short,
}

/// Why a trade ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExitReasonName {
    /// The profit target was reached.
    Target,
    /// The stop was reached.
    Stop,
    /// The time allowed for the trade was over.
    Time,
    /// The signal turned.
    Signal,
    /// The session ended.
    Session,
    /// Somebody closed it by hand.
    Manual,
    /// Anything else.
    Other,
}

/// A bot saw a signal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalRequest {
    /// Identifies the signal when it is sent again; made by the service if left out.
    event_id: Option<Uuid>,
    /// The user of the credential, if given.
    #[schema(min_length = 5, max_length = 100, pattern = "^[A-Za-z0-9_.-]+$")]
    user_id: Option<String>,
    /// When the bot saw it, RFC 3339; when it was received if left out.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// One of the configured instruments.
    #[schema(examples("ES"))]
    symbol: String,
    side: SideName,
    /// Greater than 0.
    #[schema(value_type = Amount, examples(6524.25))]
    price: f64,
    /// Relative strength index.
    #[schema(minimum = 0, maximum = 100, examples(28.0))]
    rsi: f64,
    /// Volume-weighted average price; greater than 0.
    #[schema(value_type = Option<Amount>, examples(6532.5))]
    vwap: Option<f64>,
    /// Signed distance of the price from VWAP in percent; computed where price and VWAP are given.
    #[schema(minimum = -100, maximum = 100)]
    vwap_distance: Option<f64>,
    /// Contracts traded in the bar.
    #[schema(minimum = 0, maximum = 1e15)]
    volume: Option<f64>,
    /// Average true range, price points.
    #[schema(minimum = 0, maximum = 1e15)]
    atr: Option<f64>,
    /// Volume as a multiple of its average.
    #[schema(minimum = 0, maximum = 1e15)]
    volume_ratio: Option<f64>,
    /// Which of the owner's bots.
    #[schema(min_length = 1, max_length = 64)]
    strategy: Option<String>,
    /// Further named features, at most 32.
    #[schema(value_type = Option<BTreeMap<String, f64>>)]
    features: Option<BTreeMap<String, f64>>,
}

/// A trade was closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TradeRequest {
    /// Identifies the trade when it is sent again; made by the service if left out.
    event_id: Option<Uuid>,
    /// The user of the credential, if given.
    #[schema(min_length = 5, max_length = 100, pattern = "^[A-Za-z0-9_.-]+$")]
    user_id: Option<String>,
    /// The signal it came from.
    signal_id: Option<Uuid>,
    /// The decision it came from.
    decision_id: Option<Uuid>,
    /// One of the configured instruments.
    #[schema(examples("ES"))]
    symbol: String,
    side: SideName,
    /// Which of the owner's bots.
    #[schema(min_length = 1, max_length = 64)]
    strategy: Option<String>,
    /// Contracts; greater than 0.
    #[schema(exclusive_minimum = 0, maximum = 1e15)]
    quantity: Option<f64>,
    /// Greater than 0.
    #[schema(value_type = Amount, examples(6524.25))]
    entry_price: f64,
    /// Greater than 0.
    #[schema(value_type = Amount, examples(6530.0))]
    exit_price: f64,
    /// Profit or loss, USD.
    #[schema(value_type = Amount, examples(287.5))]
    pnl: f64,
    /// RFC 3339.
    #[schema(format = DateTime)]
    entry_time: Option<String>,
    /// RFC 3339; when it was received if left out.
    #[schema(format = DateTime)]
    exit_time: Option<String>,
    /// Greater than 0.
    #[schema(value_type = Option<Amount>)]
    entry_vwap: Option<f64>,
    #[schema(minimum = 0, maximum = 100)]
    entry_rsi: Option<f64>,
    /// Greater than 0.
    #[schema(value_type = Option<Amount>)]
    exit_vwap: Option<f64>,
    #[schema(minimum = 0, maximum = 100)]
    exit_rsi: Option<f64>,
    exit_reason: Option<ExitReasonName>,
    /// Worst unrealised loss on the way, USD.
    #[schema(value_type = Option<Amount>)]
    max_adverse: Option<f64>,
    /// Best unrealised profit on the way, USD.
    #[schema(value_type = Option<Amount>)]
    max_favourable: Option<f64>,
    /// The outcome of a trade that was not taken: the model learns from it, totals of money don't count it.
    simulated: Option<bool>,
}

/// Where a record stands in the journal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionRequest {
    epoch: u8,
    partition: u16,
    offset: u64,
}

/// Why a trade is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// In your words.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// The position that was answered when the trade was reported; needed for trades older than the ids remembered.
    position: Option<PositionRequest>,
}

/// Place of an item in a bulk import: sequences of one source rise, and what is not above the highest one recorded is a
/// duplicate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Names the file, for example by its digest.
    #[schema(min_length = 1, max_length = 128)]
    source: String,
    /// Row within it.
    #[schema(minimum = 1)]
    sequence: u64,
}

/// An item of a batch: the fields of a signal or a trade, `type`, and possibly its place in an import.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object, examples(json!({"type": "signal", "symbol": "ES", "side": "LONG", "price": 6524.25, "rsi": 28.0})))]
pub struct ItemRequest(serde_json::Value);

/// What existing bots ask with: either of its two shapes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum GetConfidenceRequest {
    /// With the distance.
    ByDistance(ByDistance),
    /// With price and VWAP.
    ByPrice(ByPrice),
}

/// A signal by its distance from VWAP.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ByDistance {
    #[schema(min_length = 5, max_length = 100, pattern = "^[A-Za-z0-9_.-]+$")]
    user_id: String,
    symbol: String,
    signal_type: SideName,
    /// Distance from VWAP in percent, without its sign.
    #[schema(minimum = 0, maximum = 10)]
    vwap_distance: f64,
    #[schema(minimum = 0, maximum = 100)]
    rsi: f64,
}

/// A signal by price and VWAP.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ByPrice {
    #[schema(min_length = 5, max_length = 100, pattern = "^[A-Za-z0-9_.-]+$")]
    user_id: String,
    symbol: String,
    /// Greater than 0.
    #[schema(value_type = Amount)]
    vwap: f64,
    #[schema(minimum = 0, maximum = 100)]
    rsi: f64,
    /// Greater than 0.
    #[schema(value_type = Amount)]
    price: f64,
    #[schema(minimum = 0, maximum = 1e15)]
    volume: f64,
    signal: SideName,
}

/// A closed trade as existing bots report it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SaveTradeRequest {
    #[schema(min_length = 5, max_length = 100, pattern = "^[A-Za-z0-9_.-]+$")]
    user_id: String,
    symbol: String,
    /// `long` or `short`, in either case.
    #[schema(pattern = "^([Ll][Oo][Nn][Gg]|[Ss][Hh][Oo][Rr][Tt])$")]
    side: String,
    /// Greater than 0.
    #[schema(value_type = Amount)]
    entry_price: f64,
    /// Greater than 0.
    #[schema(value_type = Amount)]
    exit_price: f64,
    /// Profit or loss, USD.
    #[schema(value_type = Amount)]
    pnl: f64,
    /// 0 if it is not known.
    #[schema(value_type = Amount)]
    entry_vwap: f64,
    #[schema(minimum = 0, maximum = 100)]
    entry_rsi: Option<f64>,
    /// 0 if it is not known.
    #[schema(value_type = Option<Amount>)]
    exit_vwap: Option<f64>,
    #[schema(minimum = 0, maximum = 100)]
    exit_rsi: Option<f64>,
}
