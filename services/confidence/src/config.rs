//! How confidences are served.

use std::net::SocketAddr;

use hindcast_reader::RowReaderConfig;
use serde::{Deserialize, Serialize};

/// How confidences are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfidenceConfig {
    /// A listener of its own; the common one of the process when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// How rows are read and cached.
    pub rows: RowReaderConfig,
    /// How long an answer waits for its signal and decision to be durable.
    pub append_timeout_ms: u64,
    /// How long a request that sends `Hindcast-Control` back waits for that change to arrive here.
    pub control_timeout_ms: u64,
}

impl Default for ConfidenceConfig {
    fn default() -> Self {
        Self { listen: None, rows: RowReaderConfig::default(), append_timeout_ms: 5_000, control_timeout_ms: 2_000 }
    }
}
