//! The wall clock, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

use hindcast_domain::TimestampUs;

/// Now, as microseconds since 1970.
#[must_use]
pub fn now_us() -> TimestampUs {
    let us = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    };
    TimestampUs(us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_after_this_was_written() {
        assert!(now_us().0 > 1_790_000_000_000_000 - 365 * hindcast_domain::time::DAY_US);
    }
}
