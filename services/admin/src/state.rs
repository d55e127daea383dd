//! What the routes work with.

use std::{sync::Arc, time::Instant};

use axum::extract::FromRef;
use hindcast_control::Control;
use hindcast_journal::{Log, LogError, ReadLimit, Record, Topic};
use hindcast_reader::Boards;
use hindcast_schemas::Codec;
use hindcast_service_kit::{auth::Gate, problem::Problem};
use hindcast_views::ViewStore;

use crate::reprojections::Jobs;

/// What the service is built on.
#[derive(Clone)]
pub struct AdminPorts {
    /// The logs.
    pub log: Arc<dyn Log>,
    /// The rows.
    pub views: Arc<dyn ViewStore>,
    /// How far each set of generations is projected.
    pub boards: Arc<Boards>,
    /// Published settings.
    pub control: Arc<Control>,
    /// Reads records.
    pub codec: Arc<Codec>,
    /// Lets requests in.
    pub gate: Arc<Gate>,
    /// Version of the binary.
    pub version: &'static str,
    /// Kind of the log and of the views, for people: `embedded`, `kafka`, `cql`.
    pub engines: (&'static str, &'static str),
}

/// The state of the routes.
pub struct AdminState {
    pub(crate) ports: AdminPorts,
    pub(crate) started: Instant,
    pub(crate) verifications: Jobs,
}

impl AdminState {
    /// A state that counts its uptime from now.
    #[must_use]
    pub fn new(ports: AdminPorts) -> Self {
        Self { ports, started: Instant::now(), verifications: Jobs::default() }
    }

    /// Reads records of a partition, off the async runtime.
    pub(crate) async fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
    ) -> Result<(Vec<Record>, u64), Problem> {
        let log = Arc::clone(&self.ports.log);
        let read = tokio::task::spawn_blocking(move || {
            let mut records = Vec::new();
            let next = log.read(topic, partition, from_offset, limit, &mut records)?;
            Ok::<_, LogError>((records, next))
        });
        match read.await {
            Ok(result) => result.map_err(Problem::log_unreadable),
            Err(error) => Err(Problem::internal(format!("reading the log panicked: {error}"))),
        }
    }
}

/// The shared state, as axum hands it to handlers.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<AdminState>);

impl FromRef<Shared> for Arc<Gate> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.0.ports.gate)
    }
}

impl std::ops::Deref for Shared {
    type Target = AdminState;
    fn deref(&self) -> &AdminState {
        &self.0
    }
}
