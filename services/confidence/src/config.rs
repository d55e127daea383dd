//! How confidences are served.

use hindcast_reader::RowReaderConfig;
use serde::{Deserialize, Serialize};

/// How confidences are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfidenceConfig {
    /// How rows are read and cached.
    pub rows: RowReaderConfig,
    /// How long an answer waits for its signal and decision to be durable.
    pub append_timeout_ms: u64,
    /// How long a request that sends `Hindcast-Control` back waits for that change to arrive here.
    pub control_timeout_ms: u64,
}

impl Default for ConfidenceConfig {
    fn default() -> Self {
        Self { rows: RowReaderConfig::default(), append_timeout_ms: 5_000, control_timeout_ms: 2_000 }
    }
}
