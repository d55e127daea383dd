//! How much memory the store takes and how many threads work for it.

use serde::{Deserialize, Serialize};

/// How much memory the store takes and how many threads work for it.
///
/// Beside [`Self::cache_bytes`] the store holds the rows written last in memory: about 16 MiB and the last batch, three
/// times as much while the disk can't keep up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedViewsConfig {
    /// Memory for blocks of rows that were read from disk, bytes.
    pub cache_bytes: u64,
    /// Threads that read rows.
    pub read_threads: u16,
    /// Reads that may wait for a thread; one more is refused.
    pub read_queue: usize,
    /// Writes that may wait; one more is refused.
    pub write_queue: usize,
}

impl Default for EmbeddedViewsConfig {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, read_threads: 2, read_queue: 4_096, write_queue: 64 }
    }
}
