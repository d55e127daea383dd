//! What a model sees of a signal.

use crate::Side;

/// What a model sees of a signal, in the units of the events. A feature that the client did not send is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features {
    /// Direction of the signal.
    pub side: Side,
    /// Relative strength index, 0 to 100.
    pub rsi: Option<f64>,
    /// Distance of the price from VWAP without its sign, in percent.
    pub vwap_distance_abs_percent: Option<f64>,
    /// Average true range, in price points.
    pub atr: Option<f64>,
    /// Volume as a multiple of its average.
    pub volume_ratio: Option<f64>,
    /// Hour of the day, 0 to 23: the client's `hour` feature if sent, else the hour of `occurred_at` in UTC.
    pub hour: f64,
    /// Ask less bid, in price points.
    pub spread: Option<f64>,
}
