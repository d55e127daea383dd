//! What a model sees of a trade that joined no signal.

use hindcast_domain::Features;
use hindcast_schemas::{TradeClosed, events::vwap_distance_percent};

/// Features from what the trade says of its own entry.
pub(super) fn of_entry(trade: &TradeClosed<'_>) -> Features {
    let distance_percent = vwap_distance_percent(Some(trade.entry_price_e9), trade.entry_vwap_e9);
    Features {
        side: trade.side,
        rsi: trade.entry_rsi,
        vwap_distance_abs_percent: distance_percent.map(f64::abs),
        atr: None,
        volume_ratio: None,
        hour: f64::from(trade.entry_time.unwrap_or(trade.occurred_at).hour_utc()),
        spread: None,
    }
}
