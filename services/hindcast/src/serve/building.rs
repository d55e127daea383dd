//! Builds the sets of generations that control says are to be built, and removes the tables of those that are dropped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hindcast_control::{Change, Control, KnownSet, Requested, Settings, Stage};
use hindcast_journal::Log;
use hindcast_projector::{Builder, BuilderConfig, FleetPorts, ProjectorMetrics};
use hindcast_reader::Boards;
use hindcast_schemas::Codec;
use hindcast_service_kit::clock::now_us;
use hindcast_views::TableName;
use tokio::{sync::watch, task::JoinHandle};

use super::{config::ServeConfig, engine::Engine};
use crate::exit::Failure;

/// How often running builders are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a builder that gave up is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How long after a set is dropped its tables stay: every process has stopped writing to them then.
const REMOVE_AFTER_US: i64 = 5_000_000;
/// Who asks for what a builder records.
const BUILDER: &str = "builder";

/// The builders of this process, if it has that role.
pub(super) struct Building {
    task: JoinHandle<()>,
    builders: Arc<Builders>,
}

struct Builders {
    ports: FleetPorts,
    config: BuilderConfig,
    control: Arc<Control>,
    running: Mutex<BTreeMap<Arc<str>, Builder>>,
    /// Held while builders are started and stopped, so that one that is started last is not forgotten at the end.
    looking: Mutex<()>,
    is_over: AtomicBool,
    /// Control offsets of the drops whose tables are removed.
    removed: Mutex<BTreeSet<u64>>,
    runtime: tokio::runtime::Handle,
}

impl Building {
    pub(super) fn start(
        config: &ServeConfig,
        engine: &Engine,
        codec: &Arc<Codec>,
        boards: &Arc<Boards>,
        control: &Arc<Control>,
        registry: &prometheus::Registry,
    ) -> Result<Self, Failure> {
        let ports = FleetPorts {
            log: engine.log(),
            views: engine.views(),
            codec: Arc::clone(codec),
            boards: Arc::clone(boards),
            metrics: Arc::new(ProjectorMetrics::register_build(registry).map_err(Failure::failed)?),
        };
        let builders = Arc::new(Builders {
            ports,
            config: config.builder.clone(),
            control: Arc::clone(control),
            running: Mutex::default(),
            looking: Mutex::default(),
            is_over: AtomicBool::new(false),
            removed: Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
        });
        let task = tokio::spawn(Arc::clone(&builders).run(control.folded_end()));
        Ok(Self { task, builders })
    }

    /// Writes what is folded and stops. Blocks until that is done.
    pub(super) fn stop(self) {
        self.task.abort();
        self.builders.is_over.store(true, Ordering::SeqCst);
        let _no_look_is_under_way = held(&self.builders.looking);
        let running = std::mem::take(&mut *held(&self.builders.running));
        running.into_iter().for_each(|(name, builder)| stop(&name, builder));
    }
}

impl Drop for Building {
    /// Also where starting failed half way.
    fn drop(&mut self) {
        self.task.abort();
        self.builders.is_over.store(true, Ordering::SeqCst);
    }
}

impl Builders {
    async fn run(self: Arc<Self>, mut changes: watch::Receiver<u64>) {
        loop {
            let pause = {
                let builders = Arc::clone(&self);
                // Starting and stopping blocks on threads and the store.
                match tokio::task::spawn_blocking(move || builders.look()).await {
                    Ok(pause) => pause,
                    Err(error) => {
                        tracing::error!(%error, "building panicked");
                        Some(RETRY_AFTER)
                    }
                }
            };
            let changed = async {
                match pause {
                    Some(pause) => tokio::time::timeout(pause, changes.changed()).await.unwrap_or(Ok(())),
                    None => changes.changed().await,
                }
            };
            if changed.await.is_err() {
                return;
            }
        }
    }

    /// Starts what is to be built and stops what is built or is not to be any more; tells when to look again if nothing
    /// changes until then. Blocks.
    fn look(&self) -> Option<Duration> {
        let _looking = held(&self.looking);
        if self.is_over.load(Ordering::SeqCst) {
            return None;
        }
        let settings = self.control.settings();
        let wanted: Vec<&Arc<KnownSet>> = settings.sets.iter().filter(|known| known.stage == Stage::Building).collect();
        self.stop_others(&wanted);
        let mut pause = self.remove_dropped(&settings);
        for known in wanted {
            let name = &known.tables.name;
            if !held(&self.running).contains_key(name) {
                match self.start(known) {
                    Ok(builder) => {
                        tracing::info!(generation = &**name, "building");
                        held(&self.running).insert(Arc::clone(name), builder);
                    }
                    Err(error) => tracing::error!(generation = &**name, %error, "a generation can't be built here"),
                }
            }
            let (is_done, failure) = match held(&self.running).get(name) {
                Some(builder) => (builder.is_done(), builder.failure()),
                None => (false, Some(String::new())),
            };
            if failure.is_some() {
                // What made it give up is logged already; going on from stored progress can't do harm.
                self.remove(name);
                pause = pause.max(Some(RETRY_AFTER));
            } else if is_done {
                self.remove(name);
                self.record_built(name);
                pause = Some(LOOK_EVERY);
            } else {
                pause = pause.or(Some(LOOK_EVERY));
            }
        }
        pause
    }

    fn start(&self, known: &KnownSet) -> Result<Builder, hindcast_projector::ProjectorError> {
        let is_live_behind = LiveLag::watch(self);
        Builder::start(&self.ports, &known.tables.set, &self.config, known.max_rate, move || is_live_behind.is_large())
    }

    fn stop_others(&self, wanted: &[&Arc<KnownSet>]) {
        let goes_on = |name: &Arc<str>, builder: &Builder| {
            wanted.iter().any(|known| known.tables.name == *name && known.max_rate == builder.max_rate())
        };
        let gone: Vec<Arc<str>> = {
            let running = held(&self.running);
            running.iter().filter(|(name, builder)| !goes_on(name, builder)).map(|(name, _)| Arc::clone(name)).collect()
        };
        gone.iter().for_each(|name| self.remove(name));
    }

    fn remove(&self, name: &Arc<str>) {
        let removed = held(&self.running).remove(name);
        if let Some(builder) = removed {
            stop(name, builder);
        }
    }

    /// Removes tables of dropped sets; tells when to look again if some are still there.
    fn remove_dropped(&self, settings: &Settings) -> Option<Duration> {
        let mut pause = None;
        for known in settings.sets.iter().filter(|known| known.stage == Stage::Dropped) {
            let Some(dropped) = known.steps.last() else { continue };
            let is_removed = held(&self.removed).contains(&dropped.offset);
            if is_removed {
                continue;
            }
            if now_us().0 < dropped.at.0.saturating_add(REMOVE_AFTER_US) {
                pause = pause.or(Some(LOOK_EVERY));
                continue;
            }
            let name = &known.tables.name;
            let removal = known.tables.all().into_iter().try_for_each(|table| {
                self.runtime.block_on(self.ports.views.drop_table(&TableName(Arc::clone(table))))
            });
            match removal {
                Ok(()) => {
                    tracing::info!(generation = &**name, "the tables of a dropped generation are removed");
                    held(&self.removed).insert(dropped.offset);
                }
                Err(error) => {
                    tracing::warn!(generation = &**name, %error, "tables of a dropped generation can't be removed yet");
                    pause = Some(RETRY_AFTER);
                }
            }
        }
        pause
    }

    /// From here on projectors keep it up.
    fn record_built(&self, name: &Arc<str>) {
        let change = Change::GenerationsBuilt { name: name.to_string() };
        let requested = Requested {
            based_on: self.control.last_change(&change.entity()),
            change,
            by: BUILDER.to_owned(),
            why: "history is folded".to_owned(),
            at: now_us(),
        };
        match self.runtime.block_on(self.control.change(requested)) {
            Ok(_) => tracing::info!(generation = &**name, "built"),
            Err(error) => {
                tracing::warn!(generation = &**name, %error, "a generation is built but that is not recorded yet")
            }
        }
    }
}

/// How far the generations that are read are behind the journal.
struct LiveLag {
    control: Arc<Control>,
    boards: Arc<Boards>,
    log: Arc<dyn Log>,
    large_events: u64,
}

impl LiveLag {
    fn watch(builders: &Builders) -> Self {
        Self {
            control: Arc::clone(&builders.control),
            boards: Arc::clone(&builders.ports.boards),
            log: Arc::clone(&builders.ports.log),
            large_events: builders.config.live_lag_events,
        }
    }

    fn is_large(&self) -> bool {
        let settings: Arc<Settings> = self.control.settings();
        let Some(active) = settings.generations.as_deref() else { return false };
        self.boards.of(&active.name).lag_events(&*self.log) > self.large_events
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stop(name: &str, builder: Builder) {
    if let Err(error) = builder.stop() {
        tracing::warn!(generation = name, %error, "a build ended with a failure; it goes on from what is stored");
    }
}
