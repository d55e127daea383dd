//! The events of the journal.

use std::borrow::Cow;

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs};
use serde::Deserialize;
use uuid::Uuid;

use super::values::{features, maybe_exit_reason, maybe_import, maybe_text, maybe_uuid_bytes, uuid_bytes};
use crate::{ExitReason, ImportPlace, SignalReceived, TradeClosed, TradeVoided};

#[derive(Deserialize)]
#[serde(remote = "SignalReceived", rename = "SignalReceived")]
pub(crate) struct SignalWire<'a> {
    #[serde(deserialize_with = "uuid_bytes::deserialize")]
    event_id: Uuid,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    strategy: Option<Cow<'a, str>>,
    occurred_at: TimestampUs,
    received_at: TimestampUs,
    #[serde(default, borrow, deserialize_with = "maybe_import::deserialize")]
    import: Option<ImportPlace<'a>>,
    side: Side,
    #[serde(default)]
    price_e9: Option<MoneyE9>,
    #[serde(default)]
    rsi: Option<f64>,
    #[serde(default)]
    vwap_e9: Option<MoneyE9>,
    #[serde(default)]
    vwap_distance_percent: Option<f64>,
    #[serde(default)]
    vwap_distance_abs_percent: Option<f64>,
    #[serde(default)]
    volume: Option<f64>,
    #[serde(default)]
    atr: Option<f64>,
    #[serde(default)]
    volume_ratio: Option<f64>,
    #[serde(default, borrow, deserialize_with = "features::deserialize")]
    features: Vec<(Cow<'a, str>, f64)>,
    #[serde(default)]
    spread: Option<f64>,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    session: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(remote = "TradeClosed", rename = "TradeClosed")]
pub(crate) struct TradeWire<'a> {
    #[serde(deserialize_with = "uuid_bytes::deserialize")]
    event_id: Uuid,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    strategy: Option<Cow<'a, str>>,
    occurred_at: TimestampUs,
    received_at: TimestampUs,
    #[serde(default, borrow, deserialize_with = "maybe_import::deserialize")]
    import: Option<ImportPlace<'a>>,
    #[serde(default, deserialize_with = "maybe_uuid_bytes::deserialize")]
    signal_id: Option<Uuid>,
    #[serde(default, deserialize_with = "maybe_uuid_bytes::deserialize")]
    decision_id: Option<Uuid>,
    side: Side,
    #[serde(default)]
    quantity: Option<f64>,
    entry_price_e9: MoneyE9,
    exit_price_e9: MoneyE9,
    pnl_e9: MoneyE9,
    #[serde(default)]
    entry_time: Option<TimestampUs>,
    #[serde(default)]
    exit_time: Option<TimestampUs>,
    #[serde(default)]
    entry_vwap_e9: Option<MoneyE9>,
    #[serde(default)]
    entry_rsi: Option<f64>,
    #[serde(default)]
    exit_vwap_e9: Option<MoneyE9>,
    #[serde(default)]
    exit_rsi: Option<f64>,
    #[serde(default, deserialize_with = "maybe_exit_reason::deserialize")]
    exit_reason: Option<ExitReason>,
    #[serde(default)]
    max_adverse_e9: Option<MoneyE9>,
    #[serde(default)]
    max_favourable_e9: Option<MoneyE9>,
    #[serde(default)]
    simulated: bool,
    #[serde(default)]
    fees_e9: Option<MoneyE9>,
}

#[derive(Deserialize)]
#[serde(remote = "TradeVoided", rename = "TradeVoided")]
pub(crate) struct VoidWire<'a> {
    #[serde(deserialize_with = "uuid_bytes::deserialize")]
    event_id: Uuid,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    strategy: Option<Cow<'a, str>>,
    occurred_at: TimestampUs,
    received_at: TimestampUs,
    #[serde(deserialize_with = "uuid_bytes::deserialize")]
    trade_event_id: Uuid,
    trade_position: Position,
    trade_occurred_at: TimestampUs,
    trade_pnl_e9: MoneyE9,
    #[serde(default)]
    trade_simulated: bool,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(remote = "ImportPlace", rename = "ImportPlace")]
pub(super) struct ImportPlaceWire<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    sequence: u64,
}
