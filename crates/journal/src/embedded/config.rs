//! Settings of the embedded log.

use serde::{Deserialize, Serialize};

use super::OpenError;

/// Settings of the embedded log.
///
/// Its memory is bounded by `max_queued_bytes`, `memtables_bytes`, half as much again for what is being flushed, and
/// `cache_bytes`: about 170 MB by default, and a tenth of that under the load of a usual day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedLogConfig {
    /// Partitions of the topics partitioned by user, 1 to 1,024. Fixed when the log is made.
    pub partitions: u16,
    /// Most records waiting to be written; past it an append fails at once.
    pub max_queued_records: usize,
    /// Most bytes of records waiting to be written; past it an append fails at once.
    pub max_queued_bytes: usize,
    /// How long the writer waits, in microseconds, for as many appends as it wrote at a time lately. Clients that were
    /// answered together come again together: one sync for all of them costs less than several, and they have their
    /// answers earlier. Nobody who writes alone waits. 0 turns it off; at most 10,000.
    pub gather_us: u64,
    /// Written records kept in memory until they are flushed to tables, in bytes.
    pub memtables_bytes: u64,
    /// Cache of blocks read from tables, in bytes.
    pub cache_bytes: u64,
}

impl Default for EmbeddedLogConfig {
    fn default() -> Self {
        Self {
            partitions: 8,
            max_queued_records: 100_000,
            max_queued_bytes: 64 << 20,
            gather_us: 1_000,
            memtables_bytes: 64 << 20,
            cache_bytes: 16 << 20,
        }
    }
}

impl EmbeddedLogConfig {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let fault = if !(1..=1_024).contains(&self.partitions) {
            "partitions must be 1 to 1024"
        } else if self.max_queued_records == 0 || self.max_queued_bytes == 0 {
            "max_queued_records and max_queued_bytes must not be 0"
        } else if self.gather_us > 10_000 {
            "gather_us must be at most 10000"
        } else if self.memtables_bytes < 1 << 20 {
            "memtables_bytes must be at least 1048576"
        } else {
            return Ok(());
        };
        Err(OpenError::Setting(fault))
    }
}
