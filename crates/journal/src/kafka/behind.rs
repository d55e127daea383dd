//! Partitions whose leader tells an end that is behind what was acknowledged.
//!
//! A new leader may do so for a moment. One that goes on doing so leads another topic of that name, or lost records.

use std::time::{Duration, Instant};

/// An end that is behind for so long, at every time it was told, is no hiccup of a new leader.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// By slot, since when its end is behind.
#[derive(Debug)]
pub(super) struct Behind(Vec<Option<Instant>>);

impl Behind {
    pub(super) fn new(slots: usize) -> Self {
        Self(vec![None; slots])
    }

    /// An end was told that is to be at least `acknowledged`; returns whether records are lost.
    pub(super) fn told(&mut self, slot: usize, end: u64, acknowledged: u64, now: Instant) -> bool {
        let Some(since) = self.0.get_mut(slot) else { return false };
        if end >= acknowledged {
            *since = None;
            return false;
        }
        now.duration_since(*since.get_or_insert(now)) > LOST_AFTER
    }

    /// Nobody told the ends of the slots that `is_told` denies: what their next leader tells may be a hiccup again.
    pub(super) fn keep(&mut self, is_told: impl Fn(usize) -> bool) {
        for (slot, since) in self.0.iter_mut().enumerate() {
            *since = since.filter(|_| is_told(slot));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_end_that_stays_behind_is_a_loss() {
        let (mut behind, began) = (Behind::new(2), Instant::now());
        assert!((0..=10).all(|second| !behind.told(1, 5, 9, began + second * SECOND)));
        assert!(!behind.told(0, 5, 9, began + 11 * SECOND), "each for itself");
        assert!(behind.told(1, 5, 9, began + 11 * SECOND));
    }

    #[test]
    fn one_that_caught_up_is_none() {
        let (mut behind, began) = (Behind::new(1), Instant::now());
        assert!(!behind.told(0, 5, 9, began));
        assert!(!behind.told(0, 9, 9, began + 9 * SECOND));
        assert!(!behind.told(0, 9, 12, began + 18 * SECOND));
        assert!(!behind.told(0, 12, 12, began + 30 * SECOND));
    }

    #[test]
    fn an_outage_between_two_hiccups_does_not_count() {
        let (mut behind, began) = (Behind::new(1), Instant::now());
        assert!(!behind.told(0, 5, 9, began));
        behind.keep(|_| false);
        assert!(!behind.told(0, 5, 9, began + 60 * SECOND));
        behind.keep(|_| true);
        assert!(behind.told(0, 5, 9, began + 71 * SECOND));
    }
}
