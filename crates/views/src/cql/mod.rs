//! The view store on a cluster that speaks CQL: ScyllaDB, or Apache Cassandra.
//!
//! A generation has a table of its own, a row is one blob under its key, and the position of a row is its write timestamp,
//! so that of any two writes the newer row stays, whoever writes it and however late. Rows are written and read one by one,
//! many at a time, at quorum. See docs/adr/0016.
//!
//! Futures have to be polled within a tokio runtime with time; requests run in the one that the store was opened in.

pub mod bare;
mod config;
mod connect;
mod failure;
mod health;
mod keyspace;
mod read;
mod remove;
mod requests;
mod retry;
mod tables;
mod version;
mod write;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub use config::CqlViewsConfig;
use failure::Failure;
pub use remove::remove;
use requests::{Purpose, Requests};
use tables::{Tables, probe_key};
use tokio::{
    sync::Semaphore,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior},
};

use crate::{Pending, Progress, Row, TableName, ViewBatch, ViewError, ViewStore};

/// Between two looks at whether rows can be written.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// Why the store can't be opened. One line, for operators.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration is no good.
    #[error("views.cql: {0}")]
    Config(String),
    /// No node answers.
    #[error("the view store at {nodes} can't be reached ({why}); start it, or name its nodes in views.cql.nodes")]
    Unreachable {
        /// The nodes that were tried.
        nodes: String,
        /// What happened.
        why: String,
    },
    /// The keyspace is not there and may not be made.
    #[error("the view store has no keyspace {keyspace}; make it: {statement}")]
    NoKeyspace {
        /// The keyspace.
        keyspace: String,
        /// The statement that makes it.
        statement: String,
    },
    /// The keyspace is not as it has to be.
    #[error("the view store's keyspace {keyspace} {what}")]
    Keyspace {
        /// The keyspace.
        keyspace: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// A request failed.
    #[error("{0}")]
    Store(String),
}

/// What the store tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CqlViewsStats {
    /// Requests without an answer yet.
    pub in_flight: usize,
    /// The most of them at a time since the store was opened.
    pub most_in_flight: usize,
}

/// The view store on a cluster that speaks CQL.
pub struct CqlViews {
    store: Arc<Store>,
    probe: AbortHandle,
}

struct Store {
    requests: Requests,
    tables: Tables,
    /// Requests that one call has under way.
    at_once: usize,
    reads: Semaphore,
    writes: Semaphore,
    /// Whether this process is one that writes.
    has_written: AtomicBool,
}

impl CqlViews {
    /// Connects to the store, in bounded time, and looks whether the keyspace is as configured. Makes it if it is missing
    /// and may be made.
    ///
    /// # Errors
    /// When the configuration is no good, no node answers, or the keyspace is not as it has to be.
    pub async fn open(config: &CqlViewsConfig) -> Result<Self, OpenError> {
        check(config)?;
        let requests = Requests::new(connect::connect(config).await?, config);
        check_datacenters(&requests, config)?;
        keyspace::open(&requests, config).await?;
        let store = Arc::new(Store {
            requests,
            tables: Tables::new(config),
            at_once: usize::from(config.in_flight),
            reads: Semaphore::new(config.read_queue),
            writes: Semaphore::new(config.write_queue),
            has_written: AtomicBool::new(false),
        });
        let probed = Arc::downgrade(&store);
        let probe = store.requests.runtime().spawn(async move {
            let mut pauses = tokio::time::interval_at(Instant::now() + PROBE_PAUSE, PROBE_PAUSE);
            pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                pauses.tick().await;
                let Some(store) = probed.upgrade() else { return };
                store.probe().await;
            }
        });
        Ok(Self { store, probe: probe.abort_handle() })
    }

    /// What the store tells about itself.
    #[must_use]
    pub fn stats(&self) -> CqlViewsStats {
        let requests = &self.store.requests;
        CqlViewsStats { in_flight: requests.in_flight(), most_in_flight: requests.most_in_flight() }
    }
}

fn check(config: &CqlViewsConfig) -> Result<(), OpenError> {
    config.fault().map_or(Ok(()), |fault| Err(OpenError::Config(fault.into())))
}

/// A quorum is one datacenter's, so all processes have to mean the same.
fn check_datacenters(requests: &Requests, config: &CqlViewsConfig) -> Result<(), OpenError> {
    let cluster = requests.session().get_cluster_state();
    let found: BTreeSet<&str> = cluster.get_nodes_info().iter().filter_map(|node| node.datacenter.as_deref()).collect();
    let names = || found.iter().copied().collect::<Vec<_>>().join(", ");
    match &config.datacenter {
        None if found.len() > 1 => {
            Err(OpenError::Config(format!("datacenter has to be given: the cluster has {}", names())))
        }
        Some(datacenter) if !found.contains(datacenter.as_str()) => {
            Err(OpenError::Config(format!("the cluster has no datacenter {datacenter}, only {}", names())))
        }
        _ => Ok(()),
    }
}

impl Store {
    /// Sees whether rows can be written, so that health is known while nothing is asked for and comes back by itself.
    async fn probe(&self) {
        let Some(table) = self.tables.any() else {
            if self.requests.ask("SELECT key FROM system.local WHERE key = 'local'".into()).await.is_ok() {
                self.requests.health.went_well();
            }
            return;
        };
        let purpose = Purpose { verb: "write a row", table: &table.name };
        let result = if self.has_written.load(Ordering::Relaxed) {
            // Always the same bytes of the same version.
            self.requests.write(purpose, &table.insert, (probe_key(), Vec::<u8>::new(), 0_i64)).await
        } else {
            // Whoever never writes may not be allowed to.
            self.requests.read(purpose, &table.select, (probe_key(),)).await.map(drop)
        };
        match result {
            Ok(()) => self.requests.health.went_well(),
            Err(Failure::Invalid(_)) => self.tables.forget(&table.name),
            // Told already.
            Err(Failure::Other(_)) => {}
        }
    }
}

impl ViewStore for CqlViews {
    fn read(&self, table: &TableName, keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        let (store, table) = (&self.store, table.clone());
        Box::pin(async move {
            let _waits = store.reads.try_acquire().map_err(|_| too_many("reads"))?;
            store.read(&table, keys).await
        })
    }

    fn write(&self, batch: ViewBatch) -> Pending<'_, ()> {
        let store = &self.store;
        Box::pin(async move {
            let _waits = store.writes.try_acquire().map_err(|_| too_many("writes"))?;
            store.has_written.store(true, Ordering::Relaxed);
            store.write(batch).await
        })
    }

    fn progress(&self, table: &TableName, partition: u16) -> Pending<'_, Option<Progress>> {
        let (store, table) = (&self.store, table.clone());
        Box::pin(async move {
            let _waits = store.reads.try_acquire().map_err(|_| too_many("reads"))?;
            store.progress(&table, partition).await
        })
    }

    fn scan(&self, table: &TableName, after: Option<Vec<u8>>, limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        let (store, table) = (&self.store, table.clone());
        Box::pin(async move {
            let _waits = store.reads.try_acquire().map_err(|_| too_many("reads"))?;
            store.scan(&table, after, limit).await
        })
    }

    fn drop_table(&self, table: &TableName) -> Pending<'_, ()> {
        let (store, table) = (&self.store, table.clone());
        Box::pin(async move {
            let _waits = store.writes.try_acquire().map_err(|_| too_many("writes"))?;
            store.tables.drop(&store.requests, &table).await
        })
    }

    fn health(&self) -> Result<(), String> {
        self.store.requests.health.current()
    }
}

fn too_many(what: &str) -> ViewError {
    ViewError::retryable(format!("too many {what} of views are waiting already"))
}

impl fmt::Debug for CqlViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqlViews").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Drop for CqlViews {
    fn drop(&mut self) {
        self.probe.abort();
    }
}
