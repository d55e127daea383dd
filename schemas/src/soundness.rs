//! What every event on a log keeps beyond its schema, so that no reader needs to check it again.

use crate::{DecisionMade, Event, MAX_EXTRA_FEATURES, SignalReceived, TradeClosed};

/// A rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// NaN or an infinity: no measure is one, and neither survives JSON.
    #[error("{field} is not a finite number")]
    NotFinite {
        /// Name of the field, or `features`.
        field: &'static str,
    },
    /// Without a limit one record could hold a whole batch.
    #[error("has {count} further features, at most {MAX_EXTRA_FEATURES} are allowed")]
    TooManyFeatures {
        /// How many it has.
        count: usize,
    },
    /// One order, so that equal signals have equal bytes.
    #[error("further features are not sorted by name, each once")]
    FeaturesUnsorted,
}

/// Checks an event of the journal.
///
/// # Errors
/// The first rule it breaks.
pub fn check_event(event: &Event<'_>) -> Result<(), Unsound> {
    match event {
        Event::Signal(signal) => check_signal(signal),
        Event::Trade(trade) => check_trade(trade),
        Event::Void(_) => Ok(()),
    }
}

/// Checks a decision and its signal.
///
/// # Errors
/// The first rule it breaks.
pub fn check_decision(decision: &DecisionMade<'_>) -> Result<(), Unsound> {
    finite("confidence", decision.confidence)?;
    finite("interval_low", decision.interval_low)?;
    finite("interval_high", decision.interval_high)?;
    finite("novelty", decision.novelty)?;
    finite("propensity", decision.propensity)?;
    check_signal(&decision.signal)
}

fn check_signal(signal: &SignalReceived<'_>) -> Result<(), Unsound> {
    maybe_finite("rsi", signal.rsi)?;
    maybe_finite("vwap_distance_percent", signal.vwap_distance_percent)?;
    maybe_finite("vwap_distance_abs_percent", signal.vwap_distance_abs_percent)?;
    maybe_finite("volume", signal.volume)?;
    maybe_finite("atr", signal.atr)?;
    maybe_finite("volume_ratio", signal.volume_ratio)?;
    maybe_finite("spread", signal.spread)?;
    let features = &signal.features;
    if features.len() > MAX_EXTRA_FEATURES {
        return Err(Unsound::TooManyFeatures { count: features.len() });
    }
    if !features.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(Unsound::FeaturesUnsorted);
    }
    features.iter().try_for_each(|(_, value)| finite("features", *value))
}

fn check_trade(trade: &TradeClosed<'_>) -> Result<(), Unsound> {
    maybe_finite("quantity", trade.quantity)?;
    maybe_finite("entry_rsi", trade.entry_rsi)?;
    maybe_finite("exit_rsi", trade.exit_rsi)
}

fn finite(field: &'static str, value: f64) -> Result<(), Unsound> {
    if value.is_finite() { Ok(()) } else { Err(Unsound::NotFinite { field }) }
}

fn maybe_finite(field: &'static str, value: Option<f64>) -> Result<(), Unsound> {
    value.map_or(Ok(()), |value| finite(field, value))
}
