//! What the embedded log counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters since the log was opened, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Groups made durable, each by one sync.
    pub syncs: u64,
    /// Records made durable.
    pub records: u64,
    /// Bytes of encoded records made durable.
    pub bytes: u64,
    /// Records waiting or being written now.
    pub queued_records: u64,
    /// Bytes waiting or being written now.
    pub queued_bytes: u64,
    /// Appends refused because too much was waiting or the log was down.
    pub refused: u64,
    /// Failed writes and syncs, after each of which the log was reopened.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) syncs: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failures: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self, queued_records: u64, queued_bytes: u64) -> LogStats {
        LogStats {
            syncs: self.syncs.load(Relaxed),
            records: self.records.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            queued_records,
            queued_bytes,
            refused: self.refused.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}
