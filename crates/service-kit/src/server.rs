//! Connections: accepting, limiting and closing them.

use std::{future::Future, io};

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::config::{Faults, Validate};

/// What can be set about connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Most connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// How long the head of a request may take to arrive, and a kept connection may idle.
    pub header_timeout_ms: u64,
    /// How long requests under way may take to end once the process stops.
    pub shutdown_timeout_ms: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { max_connections: 10_000, header_timeout_ms: 15_000, shutdown_timeout_ms: 20_000 }
    }
}

impl Validate for ServerConfig {
    fn validate(&self, faults: &mut Faults) {
        faults.at_least("max_connections", self.max_connections, 1);
        faults.within("header_timeout_ms", self.header_timeout_ms, 100, 600_000);
        faults.at_least("shutdown_timeout_ms", self.shutdown_timeout_ms, 0);
    }
}

/// Serves a router until `shutdown` resolves; then accepts nothing more, ends what is under way within a bound, and
/// returns.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    _listener: TcpListener,
    _router: Router,
    _config: &ServerConfig,
    _shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    todo!()
}
