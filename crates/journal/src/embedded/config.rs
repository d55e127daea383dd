//! Settings of the embedded log.

use serde::{Deserialize, Serialize};

/// Settings of the embedded log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedLogConfig {
    /// Partitions of the topics partitioned by user. Fixed when the log is made.
    pub partitions: u16,
    /// Most records waiting to be written; past it an append fails at once.
    pub max_queued_records: usize,
    /// Most bytes of keys and bodies waiting to be written; past it an append fails at once.
    pub max_queued_bytes: usize,
}

impl Default for EmbeddedLogConfig {
    fn default() -> Self {
        Self { partitions: 8, max_queued_records: 100_000, max_queued_bytes: 64 << 20 }
    }
}
