//! How events are taken in.

use std::net::SocketAddr;

use hindcast_reader::RowReaderConfig;
use hindcast_service_kit::config::{Faults, Validate};
use serde::{Deserialize, Serialize};

/// How events are taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngressConfig {
    /// A listener of its own; the common one of the process when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// How long an answer waits for its events to be durable.
    pub append_timeout_ms: u64,
    /// How long `save_trade` waits for totals that count its trade.
    pub totals_timeout_ms: u64,
    /// How many of the latest ids of events are kept in memory, to know events that are sent again before they are
    /// projected. Some 200 bytes each at most.
    pub recent_ids: usize,
    /// How the rows of admissions are read and cached: which older events are sent again.
    pub admissions: RowReaderConfig,
    /// How the rows of books are read and cached: what `save_trade` answers.
    pub books: RowReaderConfig,
}

impl Default for IngressConfig {
    fn default() -> Self {
        Self {
            listen: None,
            append_timeout_ms: 5_000,
            totals_timeout_ms: 500,
            recent_ids: 131_072,
            admissions: RowReaderConfig { cache_bytes: 16 << 20, ..RowReaderConfig::default() },
            books: RowReaderConfig { cache_bytes: 8 << 20, ..RowReaderConfig::default() },
        }
    }
}

impl Validate for IngressConfig {
    fn validate(&self, faults: &mut Faults) {
        faults.within("append_timeout_ms", self.append_timeout_ms, 1, 60_000);
        faults.within("totals_timeout_ms", self.totals_timeout_ms, 0, 60_000);
        faults.within("recent_ids", self.recent_ids, 1_024, 1 << 26);
        faults.at_least("admissions.cache_bytes", self.admissions.cache_bytes, 1 << 20);
        faults.at_least("books.cache_bytes", self.books.cache_bytes, 1 << 20);
    }
}
