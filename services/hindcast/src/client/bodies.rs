//! The bodies that are sent and the answers that are read, as the interface names their fields.

use std::collections::BTreeMap;

use hindcast_domain::{MoneyE9, Side, TimestampUs};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// A signal.
#[derive(Debug, Clone, Serialize)]
pub struct SignalBody<'a> {
    /// The sender's own id.
    pub event_id: Uuid,
    /// When it happened.
    #[serde(serialize_with = "rfc3339")]
    pub occurred_at: TimestampUs,
    /// The instrument.
    pub symbol: &'a str,
    /// The direction.
    pub side: Side,
    /// The price.
    #[serde(serialize_with = "decimal")]
    pub price: MoneyE9,
    /// Relative strength index, 0 to 100.
    pub rsi: f64,
    /// Volume-weighted average price of the session.
    pub vwap: f64,
    /// Volume of the bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<f64>,
    /// Average true range, in points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub atr: Option<f64>,
    /// Volume as a multiple of its average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_ratio: Option<f64>,
    /// Which of the owner's bots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<&'a str>,
    /// Further named features.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<&'a str, f64>,
}

/// A closed trade.
#[derive(Debug, Clone, Serialize)]
pub struct TradeBody<'a> {
    /// The sender's own id.
    pub event_id: Uuid,
    /// The signal it followed.
    pub signal_id: Uuid,
    /// The decision it followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<Uuid>,
    /// The instrument.
    pub symbol: &'a str,
    /// The direction.
    pub side: Side,
    /// Which of the owner's bots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<&'a str>,
    /// Contracts.
    pub quantity: u32,
    /// Price of the entry.
    #[serde(serialize_with = "decimal")]
    pub entry_price: MoneyE9,
    /// Price of the exit.
    #[serde(serialize_with = "decimal")]
    pub exit_price: MoneyE9,
    /// Profit or loss, in USD.
    #[serde(serialize_with = "decimal")]
    pub pnl: MoneyE9,
    /// When it was entered.
    #[serde(serialize_with = "rfc3339")]
    pub entry_time: TimestampUs,
    /// When it was left, which is when the event occurred.
    #[serde(serialize_with = "rfc3339")]
    pub exit_time: TimestampUs,
    /// VWAP at the entry.
    pub entry_vwap: f64,
    /// RSI at the entry.
    pub entry_rsi: f64,
    /// VWAP at the exit.
    pub exit_vwap: f64,
    /// RSI at the exit.
    pub exit_rsi: f64,
    /// Why it was left.
    pub exit_reason: &'a str,
    /// Worst unrealised loss on the way, in USD: negative or 0.
    #[serde(serialize_with = "decimal")]
    pub max_adverse: MoneyE9,
    /// Best unrealised profit on the way, in USD: positive or 0.
    #[serde(serialize_with = "decimal")]
    pub max_favourable: MoneyE9,
    /// Whether it was followed on paper only.
    pub simulated: bool,
}

/// The answer to a signal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Confidence {
    /// The decision's id.
    pub decision_id: Uuid,
    /// The signal's id.
    pub event_id: Uuid,
    /// How likely a win is.
    pub confidence: f64,
    /// Its interval.
    pub interval: [f64; 2],
    /// What to do.
    pub action: Action,
    /// How unlike anything seen before, 0 to 1.
    pub novelty: f64,
    /// How many experiences it rests on.
    pub experiences: u64,
}

/// What to do about a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Take the trade.
    #[serde(rename = "TAKE", alias = "take")]
    Take,
    /// Skip it.
    #[serde(rename = "SKIP", alias = "skip")]
    Skip,
}

/// The answer to one event of a batch.
#[derive(Debug, Clone, Deserialize)]
pub struct BatchResult {
    /// The status the event would have had alone.
    pub status: u16,
    /// Whether it was known already.
    #[serde(default)]
    pub duplicate: bool,
    /// Why it was refused.
    pub error: Option<BatchError>,
}

impl BatchResult {
    /// Whether it is in the journal, now or since before.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether sending the same again can help.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.status, 429 | 500..=599)
    }
}

/// Why one event of a batch was refused.
#[derive(Debug, Clone, Deserialize)]
pub struct BatchError {
    /// The kind of the problem.
    #[serde(default)]
    pub title: String,
    /// What happened.
    #[serde(default)]
    pub detail: String,
    /// All faults of its fields.
    #[serde(default)]
    pub errors: Vec<super::FieldFault>,
}

/// The answers to a batch, in the order sent.
#[derive(Debug, Clone, Deserialize)]
pub struct BatchResults {
    /// One for each event.
    pub results: Vec<BatchResult>,
}

/// A key to be created.
#[derive(Debug, Clone, Serialize)]
pub struct KeyRequest<'a> {
    /// Whose requests it authenticates.
    pub user_id: &'a str,
    /// What it may do.
    pub scopes: &'a [String],
    /// When it stops working, in seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// Its own rate limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
}

/// A created key; the only time its secret is seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatedKey {
    /// Public id.
    pub id: String,
    /// Whose requests it authenticates.
    pub user_id: String,
    /// The secret.
    pub key: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it stops working; never when absent.
    pub expires_at: Option<String>,
    /// Its own rate limit.
    pub requests_per_minute: Option<u32>,
}

/// A key without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListedKey {
    /// Public id.
    pub id: String,
    /// Whose requests it authenticates.
    pub user_id: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was created.
    pub created_at: String,
    /// When it stops working; never when absent.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// Its own rate limit.
    pub requests_per_minute: Option<u32>,
}

/// All keys, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListedKeys {
    /// The keys.
    pub keys: Vec<ListedKey>,
}

fn decimal<S: Serializer>(amount: &MoneyE9, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

fn rfc3339<S: Serializer>(time: &TimestampUs, serializer: S) -> Result<S::Ok, S::Error> {
    let time = jiff::Timestamp::from_microsecond(time.0).map_err(serde::ser::Error::custom)?;
    serializer.collect_str(&time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_sent_as_exact_decimals_and_times_as_rfc_3339() {
        let signal = SignalBody {
            event_id: Uuid::nil(),
            occurred_at: TimestampUs(1_756_681_200_000_000),
            symbol: "ES",
            side: Side::Long,
            price: MoneyE9(6_524_250_000_000),
            rsi: 28.0,
            vwap: 6532.9,
            volume: None,
            atr: Some(1.5),
            volume_ratio: None,
            strategy: Some("vwap-rsi"),
            features: BTreeMap::from([("hour", 23.0)]),
        };
        assert_eq!(
            serde_json::to_string(&signal).unwrap(),
            r#"{"event_id":"00000000-0000-0000-0000-000000000000","occurred_at":"2025-08-31T23:00:00Z","symbol":"ES","side":"LONG","price":"6524.25","rsi":28.0,"vwap":6532.9,"atr":1.5,"strategy":"vwap-rsi","features":{"hour":23.0}}"#
        );
    }
}
