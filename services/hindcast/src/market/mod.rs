//! One-minute bars: of a synthetic market, or of a file of real ones.

pub mod file;
mod random;
pub mod synthetic;

use hindcast_domain::{MoneyE9, TimestampUs};

/// What was traded within one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Beginning of the minute.
    pub begins_at: TimestampUs,
    /// First price.
    pub open_e9: MoneyE9,
    /// Highest price.
    pub high_e9: MoneyE9,
    /// Lowest price.
    pub low_e9: MoneyE9,
    /// Last price.
    pub close_e9: MoneyE9,
    /// Contracts.
    pub volume: u64,
}

/// Microseconds of one bar.
pub const MINUTE_US: i64 = 60_000_000;

impl Bar {
    /// End of the minute: when the bar is known.
    #[must_use]
    pub fn ends_at(&self) -> TimestampUs {
        TimestampUs(self.begins_at.0.saturating_add(MINUTE_US))
    }

    /// The bar's typical price, by which a volume-weighted average price weighs: mean of high, low and close.
    #[must_use]
    pub fn typical(&self) -> f64 {
        (self.high_e9.to_f64() + self.low_e9.to_f64() + self.close_e9.to_f64()) / 3.0
    }
}
