//! Folds history into a set of generations that nobody reads yet.

use std::sync::Arc;

use hindcast_fold::generation::GenerationSet;
use hindcast_reader::ProgressBoard;
use serde::{Deserialize, Serialize};

use crate::{FleetPorts, Notices, Pace, Projector, ProjectorConfig, ProjectorError, ProjectorPorts};

/// How a builder works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuilderConfig {
    /// Threads; each folds a group of partitions, one partition after the other. 0 for half of the cores.
    pub threads: u16,
    /// Memory for states of all threads together, bytes. As long as the states of a partition's users fit, each row is
    /// written once.
    pub state_bytes: usize,
    /// Most records read at once.
    pub read_records: usize,
    /// How long a folded record may wait for its rows to be written: what a builder that is killed folds again.
    pub flush_interval_ms: u64,
    /// It yields while the generations that are read lag by more records than this.
    pub live_lag_events: u64,
    /// History counts as built once no more records than this are missing; projectors fold them.
    pub done_lag_events: u64,
}

impl Default for BuilderConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            state_bytes: 256 << 20,
            read_records: 4_096,
            flush_interval_ms: 30_000,
            live_lag_events: 10_000,
            done_lag_events: 1_000,
        }
    }
}

impl BuilderConfig {
    /// The threads that it has on this machine.
    #[must_use]
    pub fn threads_here(&self) -> u16 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let half = u16::try_from(cores / 2).unwrap_or(u16::MAX).max(1);
        if self.threads == 0 { half } else { self.threads }
    }

    fn projector(&self, max_rate: Option<u32>) -> ProjectorConfig {
        // At a low rate a whole batch would be a long wait.
        let per_quarter_second = max_rate.map_or(usize::MAX, |rate| usize::try_from(rate / 4).unwrap_or(usize::MAX));
        ProjectorConfig {
            threads: self.threads_here(),
            state_bytes: self.state_bytes,
            read_records: self.read_records.min(per_quarter_second).max(1),
            catch_up_flush_interval_ms: self.flush_interval_ms,
            // What is nearly at the end is written as any live rows are.
            ..ProjectorConfig::default()
        }
    }
}

/// A running build. When it is dropped without [`Builder::stop`] it ends as in a crash: the next one goes on from stored
/// progress, to the same rows.
#[derive(Debug)]
pub struct Builder {
    projector: Projector,
    board: Arc<ProgressBoard>,
    ports: FleetPorts,
    max_rate: Option<u32>,
    done_lag_events: u64,
}

impl Builder {
    /// Starts folding all partitions, from stored progress on. Publishes nothing and tells no reader.
    ///
    /// # Errors
    /// When this version can't fold the generations, or no thread can be started.
    pub fn start(
        ports: &FleetPorts,
        generations: &GenerationSet,
        config: &BuilderConfig,
        max_rate: Option<u32>,
        is_live_behind: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Self, ProjectorError> {
        let board = Arc::new(ProgressBoard::new(ports.log.identity().partitions));
        let FleetPorts { log, views, codec, metrics, .. } = ports.clone();
        let notices = Notices::None;
        let pace = Some(Arc::new(Pace::new(max_rate, is_live_behind)));
        let own = ProjectorPorts { log, views, codec, board: Arc::clone(&board), metrics, notices, pace };
        let projector = Projector::start(&own, generations, &config.projector(max_rate))?;
        Ok(Self { projector, board, ports: ports.clone(), max_rate, done_lag_events: config.done_lag_events })
    }

    /// The rate that it was started with.
    #[must_use]
    pub fn max_rate(&self) -> Option<u32> {
        self.max_rate
    }

    /// Whether rows of all but the latest records are written.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.board.lag_events(&*self.ports.log) <= self.done_lag_events
    }

    /// Why it gave up, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.projector.failure().borrow().clone()
    }

    /// Writes what is folded and stops. Blocks until that is done.
    ///
    /// # Errors
    /// What made it give up.
    pub fn stop(self) -> Result<(), ProjectorError> {
        let Self { projector, board, ports, .. } = self;
        let generation = projector.generation.clone();
        let stopped = projector.stop();
        for partition in 0..board.partitions() {
            ports.metrics.forget_lag(&generation, partition);
        }
        stopped
    }
}
