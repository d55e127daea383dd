//! Connections: accepting, limiting and closing them.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tower::ServiceExt;

use crate::{
    config::{Faults, Validate},
    lingering::Lingering,
    unread,
};

/// What can be set about connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Most connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// How long the head of a request may take to arrive, which is also how long a kept connection may idle. Longer
    /// than proxies keep theirs, which is a minute as a rule: else one sends a request just as this side hangs up.
    pub header_timeout_ms: u64,
    /// How long requests under way may take to end once the process stops.
    pub shutdown_timeout_ms: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { max_connections: 10_000, header_timeout_ms: 75_000, shutdown_timeout_ms: 20_000 }
    }
}

impl Validate for ServerConfig {
    fn validate(&self, faults: &mut Faults) {
        faults.within("max_connections", self.max_connections, 1, Semaphore::MAX_PERMITS);
        faults.within("header_timeout_ms", self.header_timeout_ms, 100, 600_000);
        faults.within("shutdown_timeout_ms", self.shutdown_timeout_ms, 0, 600_000);
    }
}

/// Most memory that a connection reads into: the head of a request has to fit, bodies pass through.
const READ_BUFFER_BYTES: usize = 64 << 10;
/// How long accepting rests after it failed, as it does when file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves a router until `shutdown` resolves; then accepts nothing more, lets what is under way end within a bound,
/// drops the rest and returns.
pub async fn serve(listener: TcpListener, router: Router, config: &ServerConfig, shutdown: impl Future<Output = ()>) {
    let slots = Arc::new(Semaphore::new(config.max_connections));
    let ending = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.header_timeout_ms))
        .max_buf_size(READ_BUFFER_BYTES)
        .keep_alive(true);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots) => accepted,
            // Only so that what ended does not pile up.
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let router = router.clone();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (request, rest) = unread::watch(request);
            let answer = router.clone().oneshot(request);
            async move {
                let mut response = answer.await?;
                if let Some(rest) = rest {
                    rest.read_before(&mut response).await;
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection = ending.watch(http.serve_connection(TokioIo::new(Lingering::new(stream)), service));
        connections.spawn(async move {
            // Clients hang up, send no HTTP and are slow: their business, and seen in the metrics of requests.
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended with an error");
            }
            drop(slot);
        });
    }
    drop(listener);
    let patience = Duration::from_millis(config.shutdown_timeout_ms);
    if tokio::time::timeout(patience, ending.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests under way took too long to end and are dropped");
    }
    connections.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are small and whole: waiting to fill a packet only adds delay.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "the delay of small packets can't be turned off");
    }
    Ok((stream, peer, slot))
}
