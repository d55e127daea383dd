//! Folds the journal into view rows.
//!
//! Each thread owns a group of partitions. It reads durable records, folds them into states in memory, and now and then
//! writes the rows that changed, once each, followed by the partition's progress. States are kept in a bounded LRU;
//! what is not there is read back from the store. A crash at any moment loses nothing: records after the stored
//! progress are folded again, and rows that are ahead of it skip them.

mod config;
mod cursor;
mod dead_letters;
mod metrics;
mod states;
mod worker;

use std::{io, sync::Arc, thread};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::Log;
use hindcast_reader::ProgressBoard;
use hindcast_schemas::Codec;
use hindcast_views::ViewStore;
use tokio::sync::watch;

pub use config::ProjectorConfig;
pub use metrics::ProjectorMetrics;
pub use worker::ProjectorError;

/// What a projector works with.
#[derive(Clone)]
pub struct ProjectorPorts {
    /// The journal it reads, and the dead letters it writes.
    pub log: Arc<dyn Log>,
    /// The store of the rows.
    pub views: Arc<dyn ViewStore>,
    /// Reads events.
    pub codec: Arc<Codec>,
    /// Where it tells how far it is.
    pub board: Arc<ProgressBoard>,
    /// What it counts.
    pub metrics: Arc<ProjectorMetrics>,
}

/// A running projector.
#[derive(Debug)]
pub struct Projector {
    stop: watch::Sender<bool>,
    threads: Vec<thread::JoinHandle<Result<(), ProjectorError>>>,
    failed: watch::Receiver<Option<String>>,
}

impl Projector {
    /// Starts folding all partitions into a set of generations, from their stored progress on.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(ports: &ProjectorPorts, generations: &GenerationSet, config: &ProjectorConfig) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (failure, failed) = watch::channel(None);
        let partitions = ports.log.identity().partitions;
        let groups = config.threads.clamp(1, partitions);
        let mut threads = Vec::new();
        for group in 0..groups {
            let own: Vec<u16> = (0..partitions).filter(|p| p % groups == group).collect();
            let config = ProjectorConfig { state_bytes: config.state_bytes / usize::from(groups), ..config.clone() };
            let (ports, generations, stopped) = (ports.clone(), generations.clone(), stopped.clone());
            let failure = failure.clone();
            threads.push(thread::Builder::new().name(format!("projector-{group}")).spawn(move || {
                let result = worker::run(ports, generations, &own, config, stopped);
                if let Err(error) = &result {
                    tracing::error!(%error, "a projector stopped; its partitions are not projected any more");
                    failure.send_replace(Some(error.to_string()));
                }
                result
            })?);
        }
        Ok(Self { stop, threads, failed })
    }

    /// Why a thread gave up, if one did.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.clone()
    }

    /// Writes what is folded and stops. Blocks until that is done.
    ///
    /// # Errors
    /// What made a thread give up.
    pub fn stop(self) -> Result<(), ProjectorError> {
        self.stop.send_replace(true);
        let mut first = Ok(());
        for thread in self.threads {
            let result = thread.join().unwrap_or(Err(ProjectorError::Panicked));
            if first.is_ok() {
                first = result;
            }
        }
        first
    }
}
