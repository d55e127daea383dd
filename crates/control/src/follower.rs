//! Follows the control topic on a thread of its own and lets everyone else read the state without waiting.

use std::{
    io,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use hindcast_journal::{Log, LogError, ReadLimit, Topic};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    change::Entity,
    keys::ApiKey,
    settings::{ControlState, Effect, Settings},
};

/// How the control topic is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    /// With the topic unreadable for longer than this, what depends on it is refused.
    pub stale_after_ms: u64,
    /// How long an author waits to read its own change back.
    pub change_timeout_ms: u64,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { stale_after_ms: 30_000, change_timeout_ms: 5_000 }
    }
}

const READ: ReadLimit = ReadLimit { records: 1_024, bytes: 4 << 20 };
/// How often a quiet topic is read, so that an unreadable one is noticed.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// The settings of the whole system, as far as this process has read them.
pub struct Control {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) config: ControlConfig,
    state: RwLock<ControlState>,
    settings: ArcSwap<Settings>,
    /// One past the last control offset folded.
    folded_end: watch::Sender<u64>,
    started: Instant,
    last_read_ms: AtomicU64,
}

impl Control {
    /// Reads control to its end, then goes on following it until the process ends or the last handle is dropped.
    /// Blocks on the log: call it before serving.
    ///
    /// # Errors
    /// When the topic can't be read, or no thread can be started.
    pub fn follow(log: Arc<dyn Log>, config: ControlConfig) -> Result<Arc<Self>, LogError> {
        let control = Arc::new(Self {
            log,
            config,
            state: RwLock::default(),
            settings: ArcSwap::default(),
            folded_end: watch::Sender::new(0),
            started: Instant::now(),
            last_read_ms: AtomicU64::new(0),
        });
        let end = *control.log.durable_end(Topic::Control, 0).borrow();
        let mut next = 0;
        while next < end {
            next = control.read_on(next)?;
        }
        let weak = Arc::downgrade(&control);
        let mut watcher = control.log.durable_end(Topic::Control, 0);
        let runtime = timer_runtime()
            .map_err(|error| LogError::not_stored(format!("no timer to follow control with: {error}")))?;
        thread::Builder::new()
            .name("control-follower".to_owned())
            .spawn(move || {
                while let Some(control) = weak.upgrade() {
                    let read = control.read_on(next);
                    drop(control);
                    match read {
                        Ok(after) => {
                            next = after;
                            if *watcher.borrow_and_update() <= next {
                                // Either a rise or the time is reason enough to look again.
                                let rise = async { tokio::time::timeout(CHECK_EVERY, watcher.changed()).await };
                                let _ = runtime.block_on(rise);
                            }
                        }
                        Err(error) => {
                            tracing::warn!(%error, "control can't be read; trying again");
                            thread::sleep(CHECK_EVERY);
                        }
                    }
                }
            })
            .map_err(|error| LogError::not_stored(format!("no thread to follow control: {error}")))?;
        Ok(control)
    }

    fn read_on(&self, from: u64) -> Result<u64, LogError> {
        let mut records = Vec::new();
        let next = self.log.read(Topic::Control, 0, from, READ, &mut records)?;
        if !records.is_empty() {
            let mut state = self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            for record in &records {
                match state.apply(record) {
                    Effect::Applied => {}
                    Effect::Stale => tracing::info!(offset = record.offset, "a stale change of control has no effect"),
                    Effect::Refused(why) => {
                        tracing::warn!(offset = record.offset, why, "a control record has no effect");
                    }
                }
            }
            self.settings.store(Arc::new(state.settings.clone()));
        }
        self.last_read_ms.store(self.elapsed_ms(), Ordering::Release);
        self.folded_end.send_if_modified(|end| std::mem::replace(end, next.max(*end)) != *end);
        Ok(next)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The settings now; cheap, never waits.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Whether the topic was readable lately.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.elapsed_ms().saturating_sub(self.last_read_ms.load(Ordering::Acquire)) <= self.config.stale_after_ms
    }

    /// Whether all that is known to be in the topic is folded, and it was readable lately. What is missing then was never
    /// there.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let end = *self.log.durable_end(Topic::Control, 0).borrow();
        self.is_fresh() && *self.folded_end.borrow() >= end
    }

    /// The key with a digest, revoked or not.
    #[must_use]
    pub fn key_by_sha256(&self, sha256: &[u8; 32]) -> Option<Arc<ApiKey>> {
        self.read_state(|state| state.keys.by_sha256(sha256))
    }

    /// The key with an id, revoked or not.
    #[must_use]
    pub fn key_by_id(&self, id: &str) -> Option<Arc<ApiKey>> {
        self.read_state(|state| state.keys.by_id(id))
    }

    /// All keys, by time of creation.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<ApiKey>> {
        self.read_state(|state| state.keys.list())
    }

    /// Whether there is no key at all, as on a first start.
    #[must_use]
    pub fn has_no_keys(&self) -> bool {
        self.read_state(|state| state.keys.is_empty())
    }

    /// Offset of the last effective change of an entity.
    #[must_use]
    pub fn last_change(&self, entity: &Entity) -> Option<u64> {
        self.read_state(|state| state.last_change(entity))
    }

    pub(crate) fn effect_at(&self, offset: u64) -> Effect {
        self.read_state(|state| state.effect_at(offset))
    }

    /// Changes whenever records were folded: one past the last one's offset.
    #[must_use]
    pub fn folded_end(&self) -> watch::Receiver<u64> {
        self.folded_end.subscribe()
    }

    /// Waits until the record at an offset is folded here; false when that takes longer than the time given.
    pub async fn reached(&self, offset: u64, patience: Duration) -> bool {
        let mut end = self.folded_end.subscribe();
        let folded = end.wait_for(|end| *end > offset);
        tokio::time::timeout(patience, folded).await.is_ok_and(|folded| folded.is_ok())
    }

    fn read_state<T>(&self, read: impl FnOnce(&ControlState) -> T) -> T {
        read(&self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn timer_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().build()
}
