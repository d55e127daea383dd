//! Folds the journal into view rows.
//!
//! Each thread owns a group of partitions. It reads durable records, folds them into states in memory, and now and then
//! writes the rows that changed, once each, followed by the partition's progress. States are kept in a bounded LRU;
//! what is not there is read back from the store. A crash at any moment loses nothing: records after the stored
//! progress are folded again, and rows that are ahead of it skip them.

mod ahead;
mod builder;
mod config;
mod cursor;
mod dead_letters;
mod error;
mod fleet;
mod fold;
mod load;
mod metrics;
mod orders;
mod pace;
mod states;
mod tables;
mod turns;
mod worker;
mod write;

use std::{sync::Arc, thread};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::Log;
use hindcast_reader::ProgressBoard;
use hindcast_schemas::Codec;
use hindcast_views::ViewStore;
use orders::Orders;
use tokio::sync::watch;
use worker::Worker;

pub use builder::{Builder, BuilderConfig};
pub use config::ProjectorConfig;
pub use dead_letters::Notices;
pub use error::ProjectorError;
pub use fleet::{Fleet, FleetPorts, Kept};
pub use metrics::ProjectorMetrics;
pub use pace::Pace;

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
    /// Of which records it publishes dead letters.
    pub notices: Notices,
    /// How fast it may go; as fast as it can without.
    pub pace: Option<Arc<Pace>>,
}

/// A running projector. When it is dropped without [`Projector::stop`] its threads end without writing what they have
/// folded, as in a crash: the next one folds it again.
#[derive(Debug)]
pub struct Projector {
    stop: watch::Sender<bool>,
    threads: Vec<thread::JoinHandle<Result<(), ProjectorError>>>,
    owner: Owner,
    failed: watch::Receiver<Option<String>>,
    /// Name of the set of generations.
    generation: String,
}

/// Gives the partitions of a projector to its threads, and takes them away.
#[derive(Debug)]
struct Owner {
    /// By thread; a partition is folded by the thread of its number modulo their count.
    threads: Vec<Orders>,
    board: Arc<ProgressBoard>,
}

impl Projector {
    /// Starts folding all partitions into a set of generations, from their stored progress on.
    ///
    /// # Errors
    /// When this version can't fold the generations, or no thread can be started.
    pub fn start(
        ports: &ProjectorPorts,
        generations: &GenerationSet,
        config: &ProjectorConfig,
    ) -> Result<Self, ProjectorError> {
        let all: Vec<u16> = (0..ports.log.identity().partitions).collect();
        Self::start_with(ports, generations, config, &all, &watch::Sender::new(None))
    }

    fn start_with(
        ports: &ProjectorPorts,
        generations: &GenerationSet,
        config: &ProjectorConfig,
        first: &[u16],
        failure: &watch::Sender<Option<String>>,
    ) -> Result<Self, ProjectorError> {
        let params = generations.fold_params()?;
        let (stop, stopped) = watch::channel(false);
        let failed = failure.subscribe();
        let partitions = ports.log.identity().partitions;
        let groups = config.threads.clamp(1, partitions.max(1));
        let (mut threads, mut orders) = (Vec::new(), Vec::new());
        for &partition in first {
            ports.board.own(partition);
        }
        for group in 0..groups {
            let own: Vec<u16> = first.iter().copied().filter(|partition| partition % groups == group).collect();
            let (order, ordered) = orders::orders();
            orders.push(order);
            let config = ProjectorConfig { state_bytes: config.state_bytes / usize::from(groups), ..config.clone() };
            let mut worker = Worker::new(ports.clone(), generations, params.clone(), &own, config, ordered);
            let (stopped, failure) = (stopped.clone(), failure.clone());
            let run = move || {
                // A thread that panics has to be told of as well.
                let mut told = TellsOfFailure { failure, why: Some(ProjectorError::Panicked.to_string()) };
                let result = run(&mut worker, stopped);
                told.why = result.as_ref().err().map(ToString::to_string);
                result
            };
            let thread = thread::Builder::new().name(format!("projector-{group}")).spawn(run);
            threads.push(thread.map_err(ProjectorError::Thread)?);
        }
        let owner = Owner { threads: orders, board: Arc::clone(&ports.board) };
        Ok(Self { stop, threads, owner, failed, generation: generations.fingerprint() })
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

/// As [`hindcast_journal::membership::Ownership`] says.
impl Owner {
    fn assigned(&self, partitions: &[u16]) {
        for partition in partitions {
            self.board.own(*partition);
        }
        self.for_each_thread(partitions, |thread, own| thread.take(own));
    }

    fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)> {
        let mut written = Vec::new();
        self.for_each_thread(partitions, |thread, own| written.append(&mut thread.give_up(own)));
        self.disown(partitions);
        written
    }

    fn lost(&self, partitions: &[u16]) {
        self.for_each_thread(partitions, |thread, own| thread.forget(own));
        self.disown(partitions);
    }

    fn progress(&self) -> Vec<(u16, u64)> {
        (0..self.board.partitions())
            .filter(|partition| self.board.is_own(*partition))
            .filter_map(|partition| Some((partition, self.board.current(partition)?.next_offset)))
            .collect()
    }

    fn disown(&self, partitions: &[u16]) {
        for partition in partitions {
            self.board.disown(*partition);
        }
    }

    fn for_each_thread(&self, partitions: &[u16], mut tell: impl FnMut(&Orders, Vec<u16>)) {
        for (number, thread) in self.threads.iter().enumerate() {
            let is_its = |partition: &&u16| usize::from(**partition) % self.threads.len() == number;
            let own: Vec<u16> = partitions.iter().filter(is_its).copied().collect();
            if !own.is_empty() {
                tell(thread, own);
            }
        }
    }
}

fn run(worker: &mut Worker, stopped: watch::Receiver<bool>) -> Result<(), ProjectorError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(ProjectorError::Thread)?;
    runtime.block_on(worker.run(stopped))
}

/// Tells at the end of a thread why it gave up, also when it panicked.
struct TellsOfFailure {
    failure: watch::Sender<Option<String>>,
    why: Option<String>,
}

impl Drop for TellsOfFailure {
    fn drop(&mut self) {
        if let Some(why) = self.why.take() {
            tracing::error!(why, "a projector thread gave up; its partitions are not projected any more");
            self.failure.send_replace(Some(why));
        }
    }
}
