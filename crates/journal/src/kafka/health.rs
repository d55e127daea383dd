//! What is known to be down, so that appends to it are refused at once instead of after their time.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use crate::{LogError, Outcome};

/// What is known to be down.
#[derive(Debug, Default)]
pub(super) struct Health {
    state: Mutex<State>,
    /// Whether anything is, so that the usual case costs no lock.
    any: AtomicBool,
    /// Whether something was seen that calls for a look.
    suspected: AtomicBool,
    /// Whether the producer is beyond use.
    producer_failed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Of the whole log.
    log: Option<LogError>,
    /// By slot.
    slots: Vec<Option<String>>,
}

impl Health {
    pub(super) fn new(slots: usize) -> Self {
        let state = State { log: None, slots: vec![None; slots] };
        Self { state: Mutex::new(state), ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        self.any.store(state.log.is_some() || state.slots.iter().any(Option::is_some), SeqCst);
    }

    /// Why the whole log is down at present, or a partition of it.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.any.load(SeqCst) {
            return Ok(());
        }
        let state = self.lock();
        let reason = state.log.as_ref().map(|error| &error.detail);
        reason.or_else(|| state.slots.iter().flatten().next()).map_or(Ok(()), |reason| Err(reason.clone()))
    }

    /// Refuses appends to what is known to be down.
    pub(super) fn admit(&self, mut slots: impl Iterator<Item = usize>) -> Result<(), LogError> {
        if !self.any.load(SeqCst) {
            return Ok(());
        }
        let state = self.lock();
        if let Some(error) = &state.log {
            return Err(error.clone());
        }
        let down = slots.find_map(|slot| state.slots.get(slot).cloned().flatten());
        down.map_or(Ok(()), |reason| Err(LogError::not_stored(reason)))
    }

    /// The whole log is down until a look finds otherwise. What is lost stays lost.
    pub(super) fn log_down(&self, reason: &str) {
        self.change(|state| {
            if state.log.as_ref().is_none_or(|error| error.retryable) {
                state.log = Some(LogError::not_stored(reason));
            }
        });
    }

    /// The log is not what it was: nothing is taken until someone has looked into it.
    pub(super) fn log_lost(&self, reason: String) {
        tracing::error!(reason, "the log on Kafka is not what it was");
        let error = LogError { retryable: false, outcome: Outcome::NotStored, detail: reason };
        self.change(|state| state.log = Some(error));
    }

    /// A partition is down until a look finds otherwise.
    pub(super) fn slot_down(&self, slot: usize, reason: &str) {
        self.change(|state| {
            if let Some(down) = state.slots.get_mut(slot) {
                *down = Some(reason.to_owned());
            }
        });
        self.suspect(reason);
    }

    /// A look found the log reachable, and these partitions ready or not.
    pub(super) fn found(&self, ready: &[bool]) {
        if !self.any.load(SeqCst) {
            return;
        }
        let before = self.check();
        self.change(|state| {
            state.log = state.log.take().filter(|error| !error.retryable);
            for (down, ready) in state.slots.iter_mut().zip(ready) {
                if *ready {
                    *down = None;
                }
            }
        });
        if before.is_err() && self.check().is_ok() {
            tracing::info!("Kafka takes appends again");
        }
    }

    /// Something was seen that calls for a look.
    pub(super) fn suspect(&self, reason: &str) {
        if !self.suspected.swap(true, SeqCst) {
            tracing::debug!(reason, "looking at Kafka's health");
        }
    }

    pub(super) fn take_suspicion(&self) -> bool {
        self.suspected.swap(false, SeqCst)
    }

    pub(super) fn is_down(&self) -> bool {
        self.any.load(SeqCst)
    }

    /// The producer is beyond use: appends are refused until there is a new one.
    pub(super) fn producer_failed(&self, reason: &str) {
        self.log_down(reason);
        self.producer_failed.store(true, SeqCst);
        self.suspect(reason);
    }

    pub(super) fn has_producer_failed(&self) -> bool {
        self.producer_failed.load(SeqCst)
    }

    pub(super) fn producer_remade(&self) {
        self.producer_failed.store(false, SeqCst);
    }
}
