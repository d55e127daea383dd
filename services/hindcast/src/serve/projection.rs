//! How this process knows how far the journal is projected: it projects, or it follows who does; for every set of
//! generations that is kept up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use hindcast_control::{Control, GenerationTables, KnownSet, Settings};
use hindcast_domain::TimestampUs;
use hindcast_journal::membership::{Joined, Ownership};
use hindcast_projector::{Fleet, FleetPorts, Kept, Notices, ProjectorMetrics};
use hindcast_reader::{Boards, follower};
use hindcast_schemas::Codec;
use hindcast_views::{TableName, ViewStore};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    config::{Role, ServeConfig},
    engine::{Engine, shares_partitions},
};
use crate::exit::Failure;

/// How long rows of active users wait to be written, unless it is set, where all who read them are in this process:
/// whoever waits for a row asks for it.
const OWN_FLUSH_INTERVAL_MS: u64 = 500;

/// The projectors of this process, if it has that role, and who looks for what others have projected.
pub(super) struct Projection {
    /// Before the fleet, which writes what is folded of the partitions that are left.
    joined: Option<Joined>,
    kept: Arc<KeptSets>,
    changes: JoinHandle<()>,
}

/// What is done for each set that is kept up.
struct KeptSets {
    control: Arc<Control>,
    fleet: Option<Arc<Fleet>>,
    views: Arc<dyn ViewStore>,
    boards: Arc<Boards>,
    /// Whether others project what this process reads.
    follows: bool,
    followers: Mutex<BTreeMap<Arc<str>, JoinHandle<()>>>,
    runtime: tokio::runtime::Handle,
}

impl Projection {
    pub(super) async fn start(
        config: &ServeConfig,
        engine: &Engine,
        codec: &Arc<Codec>,
        boards: &Arc<Boards>,
        control: &Arc<Control>,
        registry: &prometheus::Registry,
    ) -> Result<Self, Failure> {
        let (log, views) = (engine.log(), engine.views());
        let settings = control.settings();
        let active = settings.generations.as_deref().ok_or_else(|| Failure::failed("no generation is active"))?;
        match follower::read_progress(&*views, &boards.of(&active.name), &book_table(active)).await {
            Ok(()) => {}
            // A store that is busy or away is no reason not to take events in; answers say how far behind they are.
            Err(error) if error.retryable => tracing::warn!(%error, "progress can't be read yet"),
            Err(error) => return Err(Failure::failed(error)),
        }
        let (mut fleet, mut joined) = (None, None);
        if config.roles.contains(&Role::Projector) {
            let metrics = Arc::new(ProjectorMetrics::register(registry).map_err(Failure::failed)?);
            let (views, codec, boards) = (Arc::clone(&views), Arc::clone(codec), Arc::clone(boards));
            let ports = FleetPorts { log, views, codec, boards, metrics };
            let mut projector = config.projector.clone();
            if !shares_partitions(config) {
                projector.flush_interval_ms.get_or_insert(OWN_FLUSH_INTERVAL_MS);
            }
            fleet = Some(Arc::new(Fleet::new(ports, projector)));
        }
        let kept = Arc::new(KeptSets {
            control: Arc::clone(control),
            fleet,
            views,
            boards: Arc::clone(boards),
            follows: !config.roles.contains(&Role::Projector) || shares_partitions(config),
            followers: Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
        });
        let changes = control.folded_end();
        let first = Arc::clone(&kept);
        super::blocking(move || first.keep_up()).await?;
        if let Some(fleet) = kept.fleet.clone() {
            let membership = engine.membership(config)?;
            let ownership: Arc<dyn Ownership> = fleet;
            joined = Some(super::blocking(move || membership.join(ownership).map_err(Failure::failed)).await?);
        }
        let changes = tokio::spawn(Arc::clone(&kept).follow(changes));
        Ok(Self { joined, kept, changes })
    }

    /// Why the projector of this process gave up, if it did.
    pub(super) fn failure(&self) -> Option<watch::Receiver<Option<String>>> {
        self.kept.fleet.as_ref().map(|fleet| fleet.failure())
    }

    /// Writes what is folded and stops. Blocks until that is done.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        self.changes.abort();
        drop(self.joined.take());
        self.kept.fleet.as_ref().map_or(Ok(()), |fleet| fleet.stop()).map_err(Failure::failed)
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        self.changes.abort();
        self.kept.followers().values().for_each(JoinHandle::abort);
        if let Some(joined) = self.joined.take() {
            // Leaving blocks, which is not for whoever gives up halfway through an async start.
            std::thread::spawn(move || drop(joined));
        }
    }
}

impl KeptSets {
    /// Keeps up what control says, as it changes.
    async fn follow(self: Arc<Self>, mut changes: watch::Receiver<u64>) {
        let mut known = names(&self.control.settings());
        while changes.changed().await.is_ok() {
            let wanted = names(&self.control.settings());
            if wanted == known {
                continue;
            }
            let kept = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || kept.keep_up()).await {
                Ok(Ok(())) => known = wanted,
                Ok(Err(failure)) => tracing::error!(%failure, "the active generations can't be kept up"),
                Err(error) => tracing::error!(%error, "keeping up other generations panicked"),
            }
        }
    }

    /// Starts and stops what differs from what control says now. Blocks while projectors stop.
    fn keep_up(&self) -> Result<(), Failure> {
        let settings = self.control.settings();
        if self.follows {
            self.follow_progress(&settings);
        }
        let Some(fleet) = &self.fleet else { return Ok(()) };
        let wanted: Vec<Kept> = kept(&settings).map(|known| self.projected(known)).collect();
        for (name, error) in fleet.keep_up(&wanted).err().into_iter().flatten() {
            if settings.generations.as_deref().is_some_and(|active| active.name == name) {
                return Err(Failure::failed(error));
            }
            tracing::error!(generation = &*name, %error, "this version can't keep a generation up; others do, or it lags");
        }
        Ok(())
    }

    fn projected(&self, known: &KnownSet) -> Kept {
        let (control, name) = (Arc::clone(&self.control), Arc::clone(&known.tables.name));
        let is_told = move |timestamp_us| {
            let settings = control.settings();
            settings.sets.get(&name).is_some_and(|known| known.was_read_at(TimestampUs(timestamp_us)))
        };
        Kept {
            name: Arc::clone(&known.tables.name),
            generations: known.tables.set.clone(),
            notices: Notices::Of(Arc::new(is_told)),
        }
    }

    fn follow_progress(&self, settings: &Settings) {
        let mut followers = self.followers();
        followers.retain(|name, follower| {
            let stays = kept(settings).any(|known| known.tables.name == *name);
            if !stays {
                follower.abort();
            }
            stays
        });
        for known in kept(settings) {
            followers.entry(Arc::clone(&known.tables.name)).or_insert_with(|| {
                let board = self.boards.of(&known.tables.name);
                self.runtime.spawn(follower::follow(Arc::clone(&self.views), board, book_table(&known.tables)))
            });
        }
    }

    fn followers(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, JoinHandle<()>>> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kept(settings: &Settings) -> impl Iterator<Item = &Arc<KnownSet>> {
    settings.sets.iter().filter(|known| known.stage.is_projected())
}

fn names(settings: &Settings) -> Vec<Arc<str>> {
    kept(settings).map(|known| Arc::clone(&known.tables.name)).collect()
}

fn book_table(tables: &GenerationTables) -> TableName {
    TableName(Arc::clone(&tables.book_table))
}
