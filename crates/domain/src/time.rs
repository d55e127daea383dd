//! Instants as microseconds since 1970 in UTC. Nothing here reads a clock.

use serde::{Deserialize, Serialize};

/// Microseconds in a day.
pub const DAY_US: i64 = 86_400_000_000;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600_000_000;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimestampUs(pub i64);

impl TimestampUs {
    /// Days since 1970-01-01 in UTC.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // i64::MAX microseconds are 107 million days
    pub fn day(self) -> i32 {
        self.0.div_euclid(DAY_US) as i32
    }

    /// The whole hour of the day in UTC, 0 to 23.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a remainder within a day
    pub fn hour_utc(self) -> u8 {
        (self.0.rem_euclid(DAY_US) / HOUR_US) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_before_1970_too() {
        assert_eq!(TimestampUs(-1).day(), -1);
        assert_eq!(TimestampUs(-1).hour_utc(), 23);
        assert_eq!(TimestampUs(DAY_US + 5 * HOUR_US).day(), 1);
        assert_eq!(TimestampUs(DAY_US + 5 * HOUR_US).hour_utc(), 5);
    }
}
