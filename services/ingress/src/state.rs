//! What the routes work with.

use std::sync::Arc;

use axum::extract::FromRef;
use hindcast_control::{Control, GenerationTables};
use hindcast_domain::{Instruments, partition_of};
use hindcast_journal::{Log, LogError};
use hindcast_reader::{Boards, RowReader};
use hindcast_schemas::Codec;
use hindcast_service_kit::{auth::Gate, problem::Problem};
use hindcast_views::ViewStore;

use crate::{
    before::Before,
    config::IngressConfig,
    metrics::IngressMetrics,
    recent::Recent,
    rows::{AdmissionRow, BookRow},
};

/// What the service is built on.
#[derive(Clone)]
pub struct IngressPorts {
    /// Takes events.
    pub log: Arc<dyn Log>,
    /// Holds the rows: which events are known, and the totals that `save_trade` answers.
    pub views: Arc<dyn ViewStore>,
    /// How far each set of generations is projected.
    pub boards: Arc<Boards>,
    /// Published settings.
    pub control: Arc<Control>,
    /// Writes and reads records.
    pub codec: Arc<Codec>,
    /// Lets requests in.
    pub gate: Arc<Gate>,
    /// What is traded.
    pub instruments: Arc<Instruments>,
}

/// The state of the routes.
pub struct IngressState {
    pub(crate) ports: IngressPorts,
    pub(crate) config: IngressConfig,
    pub(crate) metrics: Arc<IngressMetrics>,
    pub(crate) recent: Arc<Recent>,
    pub(crate) before: Before,
    pub(crate) admissions: RowReader<AdmissionRow>,
    pub(crate) books: RowReader<BookRow>,
}

/// Why ingress can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal's end can't be read.
    #[error("the journal can't be read: {0}")]
    Journal(#[from] LogError),
    /// The name of a metric is taken.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

/// The shared state, as axum hands it to handlers.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<IngressState>);

impl FromRef<Shared> for Arc<Gate> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.0.ports.gate)
    }
}

impl std::ops::Deref for Shared {
    type Target = IngressState;
    fn deref(&self) -> &IngressState {
        &self.0
    }
}

impl IngressState {
    /// A state that has seen no event yet. Reads the end of the journal, and blocks on that: call it before serving.
    ///
    /// # Errors
    /// When the journal can't be read, or the name of one of its metrics is taken.
    pub fn new(
        ports: IngressPorts,
        config: IngressConfig,
        registry: &prometheus::Registry,
    ) -> Result<Self, StartError> {
        let metrics = IngressMetrics::register(registry)?;
        let count = |projection: &str, result: &str| metrics.lookups.with_label_values(&[projection, result]);
        Ok(Self {
            recent: Arc::new(Recent::new(config.recent_ids)),
            before: Before::read(&*ports.log)?,
            admissions: RowReader::new(
                Arc::clone(&ports.views),
                &*ports.log,
                config.admissions.clone(),
                count("admission", "hit"),
                count("admission", "miss"),
            ),
            books: RowReader::new(
                Arc::clone(&ports.views),
                &*ports.log,
                config.books.clone(),
                count("book", "hit"),
                count("book", "miss"),
            ),
            metrics: Arc::new(metrics),
            ports,
            config,
        })
    }

    pub(crate) fn partition(&self, user: &str) -> u16 {
        partition_of(user.as_bytes(), self.ports.log.identity().partitions)
    }

    pub(crate) fn generations(&self) -> Result<Arc<GenerationTables>, Problem> {
        self.ports
            .control
            .settings()
            .generations
            .clone()
            .ok_or_else(|| Problem::unavailable("no generation is active yet"))
    }
}
