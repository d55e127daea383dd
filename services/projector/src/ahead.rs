//! Stored progress that is ahead of what is known of the journal.
//!
//! In a process that alone writes to its log this is a fault. On a cluster the last owner may have learned of the end
//! earlier, a new leader tells an end that its predecessor was beyond, and while brokers are away nothing is learned at
//! all: only an end that is told again and again means that the journal is another one, or lost records.

use std::time::{Duration, Instant};

/// How long ends must be told, without a pause, before they are believed. A log tells none that it has not heard of for
/// five seconds, so that half of this and more was told after the progress was read.
const PATIENCE: Duration = Duration::from_secs(15);

/// Since when progress is ahead.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    since: Option<Instant>,
}

impl Ahead {
    /// Progress was found ahead; returns whether that is a fault by now. `is_told` is whether the log knows the end.
    pub(crate) fn is_fault(&mut self, is_shared: bool, is_told: bool, now: Instant) -> bool {
        if !is_shared {
            return true;
        }
        if !is_told {
            self.since = None;
            return false;
        }
        now.duration_since(*self.since.get_or_insert(now)) > PATIENCE
    }

    /// Progress was found within the journal.
    pub(crate) fn is_over(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn alone_it_is_a_fault_at_once() {
        assert!(Ahead::default().is_fault(false, true, Instant::now()));
    }

    #[test]
    fn with_others_only_when_the_end_was_told_for_long() {
        let (mut ahead, began) = (Ahead::default(), Instant::now());
        assert!((0..=15).all(|second| !ahead.is_fault(true, true, began + second * SECOND)));
        assert!(ahead.is_fault(true, true, began + 16 * SECOND));
    }

    #[test]
    fn what_nobody_told_does_not_count() {
        let (mut ahead, began) = (Ahead::default(), Instant::now());
        assert!(!ahead.is_fault(true, true, began));
        assert!(!ahead.is_fault(true, false, began + 10 * SECOND));
        assert!(!ahead.is_fault(true, false, began + 100 * SECOND));
        assert!(!ahead.is_fault(true, true, began + 101 * SECOND));
        assert!(!ahead.is_fault(true, true, began + 116 * SECOND));
        assert!(ahead.is_fault(true, true, began + 117 * SECOND));
    }

    #[test]
    fn another_time_counts_anew() {
        let (mut ahead, began) = (Ahead::default(), Instant::now());
        assert!(!ahead.is_fault(true, true, began));
        ahead.is_over();
        assert!(!ahead.is_fault(true, true, began + 60 * SECOND));
    }
}
