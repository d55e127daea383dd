//! How operators are served.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// How operators are served.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// A listener of its own; the common one of the process when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}
