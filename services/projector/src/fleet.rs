//! The projectors of a process, one for each set of generations that is kept up.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, membership::Ownership};
use hindcast_reader::Boards;
use hindcast_schemas::Codec;
use hindcast_views::ViewStore;
use tokio::sync::watch;

use crate::{Notices, Projector, ProjectorConfig, ProjectorError, ProjectorMetrics, ProjectorPorts};

/// What projectors of several sets work with.
#[derive(Clone)]
pub struct FleetPorts {
    /// The journal they read, and the dead letters they write.
    pub log: Arc<dyn Log>,
    /// The store of the rows.
    pub views: Arc<dyn ViewStore>,
    /// Reads events.
    pub codec: Arc<Codec>,
    /// Where they tell how far they are.
    pub boards: Arc<Boards>,
    /// What they count.
    pub metrics: Arc<ProjectorMetrics>,
}

/// A set of generations that is to be kept up.
#[derive(Clone)]
pub struct Kept {
    /// Its fingerprint.
    pub name: Arc<str>,
    /// The generations.
    pub generations: GenerationSet,
    /// Of which records its projector publishes dead letters.
    pub notices: Notices,
}

/// Projectors that own the same partitions, each of a set of generations. A set may come and go while they run.
pub struct Fleet {
    ports: FleetPorts,
    config: ProjectorConfig,
    inner: Mutex<Inner>,
    failure: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct Inner {
    owned: BTreeSet<u16>,
    projectors: BTreeMap<Arc<str>, Projector>,
    stopped: bool,
}

impl Fleet {
    /// A fleet that owns nothing and keeps nothing up.
    #[must_use]
    pub fn new(ports: FleetPorts, config: ProjectorConfig) -> Self {
        Self { ports, config, inner: Mutex::default(), failure: watch::Sender::new(None) }
    }

    /// Keeps these sets up from now on, and no other; each from its stored progress. A set that is not kept any more is
    /// left as it was last written. Blocks while projectors stop.
    ///
    /// # Errors
    /// With the name of each set that this version can't fold; the others are kept up.
    pub fn keep_up(&self, wanted: &[Kept]) -> Result<(), Vec<(Arc<str>, ProjectorError)>> {
        let mut inner = self.inner();
        if inner.stopped {
            return Ok(());
        }
        let gone: Vec<Arc<str>> =
            inner.projectors.keys().filter(|name| !wanted.iter().any(|kept| kept.name == **name)).cloned().collect();
        for name in gone {
            if let Some(projector) = inner.projectors.remove(&name) {
                self.retire(&name, projector);
            }
        }
        let mut failed = Vec::new();
        for kept in wanted {
            if inner.projectors.contains_key(&kept.name) {
                continue;
            }
            let owned: Vec<u16> = inner.owned.iter().copied().collect();
            match self.start(kept, &owned) {
                Ok(projector) => {
                    inner.projectors.insert(Arc::clone(&kept.name), projector);
                }
                Err(error) => failed.push((Arc::clone(&kept.name), error)),
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(failed) }
    }

    /// Why a projector gave up, if one did.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.subscribe()
    }

    /// Writes what is folded and stops for good. Blocks until that is done.
    ///
    /// # Errors
    /// What made a projector give up.
    pub fn stop(&self) -> Result<(), ProjectorError> {
        let projectors = {
            let mut inner = self.inner();
            inner.stopped = true;
            std::mem::take(&mut inner.projectors)
        };
        projectors.into_values().map(Projector::stop).fold(Ok(()), Result::and)
    }

    fn start(&self, kept: &Kept, owned: &[u16]) -> Result<Projector, ProjectorError> {
        let FleetPorts { log, views, codec, boards, metrics } = self.ports.clone();
        let board = boards.of(&kept.name);
        let ports = ProjectorPorts { log, views, codec, board, metrics, notices: kept.notices.clone(), pace: None };
        Projector::start_with(&ports, &kept.generations, &self.config, owned, &self.failure)
    }

    fn retire(&self, name: &Arc<str>, projector: Projector) {
        if let Err(error) = projector.stop() {
            tracing::warn!(generation = &**name, %error, "a generation that is kept no longer was not written to its end");
        }
        let board = self.ports.boards.of(name);
        for partition in 0..self.ports.boards.partitions() {
            board.disown(partition);
            self.ports.metrics.forget_lag(name, partition);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Partitions come and go for all sets alike.
impl Ownership for Fleet {
    fn assigned(&self, partitions: &[u16]) {
        let mut inner = self.inner();
        inner.owned.extend(partitions);
        inner.projectors.values().for_each(|projector| projector.owner.assigned(partitions));
    }

    fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)> {
        let mut inner = self.inner();
        inner.owned.retain(|partition| !partitions.contains(partition));
        least(inner.projectors.values().flat_map(|projector| projector.owner.revoked(partitions)))
    }

    fn lost(&self, partitions: &[u16]) {
        let mut inner = self.inner();
        inner.owned.retain(|partition| !partitions.contains(partition));
        inner.projectors.values().for_each(|projector| projector.owner.lost(partitions));
    }

    fn progress(&self) -> Vec<(u16, u64)> {
        least(self.inner().projectors.values().flat_map(|projector| projector.owner.progress()))
    }
}

/// How far all of them are, by partition: the one that is furthest behind tells.
fn least(progress: impl Iterator<Item = (u16, u64)>) -> Vec<(u16, u64)> {
    let mut least = BTreeMap::new();
    for (partition, offset) in progress {
        least.entry(partition).and_modify(|known: &mut u64| *known = offset.min(*known)).or_insert(offset);
    }
    least.into_iter().collect()
}

impl fmt::Debug for FleetPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetPorts").finish_non_exhaustive()
    }
}
