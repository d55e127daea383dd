//! How much a projector holds in memory and how often it writes.

use serde::{Deserialize, Serialize};

/// How much a projector holds in memory and how often it writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectorConfig {
    /// Threads; each owns a group of partitions and an equal share of [`Self::state_bytes`]. One folds several hundred
    /// thousand records a second and leaves the other cores to requests and to the store's threads.
    pub threads: u16,
    /// Memory for states of all threads together, bytes. A million users need not fit.
    pub state_bytes: usize,
    /// Most records read at once.
    pub read_records: usize,
    /// How long a folded record may wait for its rows to be written, when nobody asks for it earlier. Rows of active
    /// users change with every record: writing each change would write the same row many times over. Absent, 250, and
    /// 500 where all readers are in this process: they ask for what they wait for.
    pub flush_interval_ms: Option<u64>,
    /// The same while a partition is far behind, as in a rebuild. It is also how long such a partition is folded before
    /// another one of them gets its turn.
    pub catch_up_flush_interval_ms: u64,
    /// Shortest pause between two looks at the journal: single records are taken together.
    pub linger_us: u64,
}

impl Default for ProjectorConfig {
    fn default() -> Self {
        Self {
            threads: 1,
            state_bytes: 64 << 20,
            read_records: 4_096,
            flush_interval_ms: None,
            catch_up_flush_interval_ms: 1_000,
            linger_us: 5_000,
        }
    }
}
