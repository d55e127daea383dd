//! Which partition a thread folds next.
//!
//! Partitions that are nearly at the end of their journal are looked at all the time. Those that are far behind take
//! turns, one at a time: the states of one partition's users fit into memory, and into the processor's caches, where
//! those of all partitions may not; and each state changes many times before its row is written.

use std::time::{Duration, Instant};

use crate::{config::ProjectorConfig, cursor::Cursor};

#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Index of the partition whose turn it is, among those that are far behind.
    current: usize,
    until: Option<Instant>,
}

impl Turns {
    /// Whether a partition may be folded now.
    pub(crate) fn may_fold(&self, index: usize, cursor: &Cursor, config: &ProjectorConfig) -> bool {
        index == self.current || !cursor.is_far_behind(config)
    }

    /// Passes the turn on when the partition that has it is no longer far behind, can't go on, or had it long enough.
    pub(crate) fn pass(&mut self, cursors: &[Cursor], config: &ProjectorConfig) {
        let now = Instant::now();
        let can_use = |cursor: &Cursor| cursor.is_far_behind(config) && cursor.paused_until().is_none();
        let keeps = cursors.get(self.current).is_some_and(can_use) && self.until.is_some_and(|until| now < until);
        if keeps {
            return;
        }
        let after = (self.current + 1..cursors.len()).chain(0..=self.current);
        if let Some(next) = after.into_iter().find(|index| cursors.get(*index).is_some_and(can_use)) {
            self.current = next;
            self.until = Some(now + Duration::from_millis(config.catch_up_flush_interval_ms));
        }
    }
}
