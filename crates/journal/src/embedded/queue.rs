//! What waits to be written: bounded, in the order of calls, and closed while the log is down.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::{
    EmbeddedLogConfig,
    pending::Pending,
    stats::{Counters, LogStats},
};
use crate::{LogError, Outcome};

/// Appends written by one sync carry about this much at most, so that nobody waits long behind others' bulk.
const GROUP_BYTES: usize = 4 << 20;

/// More appends than these are worth a sync without waiting for others.
const MOST_GATHERED: usize = 256;

/// Appends waiting to be written.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    max_records: usize,
    max_bytes: usize,
    gather: Duration,
    pub(crate) counters: Counters,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Pending>,
    /// Of what waits and what is being written.
    records: usize,
    bytes: usize,
    /// The writer sleeps until so many appends wait.
    wake_at: usize,
    /// How many appends are worth waiting for a moment: as many as groups had lately.
    expected: usize,
    /// Why nothing is taken at present.
    down: Option<LogError>,
    closing: bool,
}

impl State {
    /// The largest group of late: what is expected falls by an eighth with each smaller one, so that one small group
    /// in between is not followed by many, and whoever is left alone soon waits for nobody.
    fn expect_as_lately(&mut self, taken: usize) {
        self.expected = taken.max(self.expected - self.expected.div_ceil(8));
    }
}

impl Queue {
    pub(crate) fn new(config: &EmbeddedLogConfig) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            max_records: config.max_queued_records,
            max_bytes: config.max_queued_bytes,
            gather: Duration::from_micros(config.gather_us),
            counters: Counters::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an append in, or says at once why not.
    pub(crate) fn push(&self, pending: Pending) -> Result<(), LogError> {
        let mut state = self.lock();
        let records = pending.encoded.places.len();
        let bytes = pending.encoded.bytes;
        let refusal = if let Some(down) = &state.down {
            Some(down.clone())
        } else if records > self.max_records || bytes > self.max_bytes {
            Some(LogError {
                retryable: false,
                outcome: Outcome::NotStored,
                detail: format!("an append of {records} records and {bytes} bytes is larger than the log's queue"),
            })
        } else if state.records + records > self.max_records || state.bytes + bytes > self.max_bytes {
            Some(LogError::not_stored(format!(
                "the log's queue is full: {} records, {} bytes",
                state.records, state.bytes
            )))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.counters.refused.fetch_add(1, Relaxed);
            return Err(refusal);
        }
        state.records += records;
        state.bytes += bytes;
        state.waiting.push_back(pending);
        let is_enough = state.waiting.len() >= state.wake_at;
        drop(state);
        if is_enough {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Waits for appends and takes all that wait, up to the bound of a group. `None` once closed and empty.
    pub(crate) fn take_group(&self) -> Option<Vec<Pending>> {
        let mut state = self.lock();
        state.wake_at = 1;
        while state.waiting.is_empty() {
            if state.closing {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state = self.gather(state);
        let mut bytes = 0;
        let taken = state
            .waiting
            .iter()
            .take_while(|pending| {
                let fits = bytes == 0 || bytes + pending.encoded.bytes <= GROUP_BYTES;
                bytes += pending.encoded.bytes;
                fits
            })
            .count();
        state.expect_as_lately(taken);
        state.wake_at = usize::MAX;
        Some(state.waiting.drain(..taken).collect())
    }

    /// Waits a little for as many appends as groups had lately. Only the last one of them wakes the writer.
    fn gather<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let expected = state.expected.min(MOST_GATHERED);
        if state.waiting.len() >= expected || self.gather.is_zero() {
            return state;
        }
        let until = Instant::now() + self.gather;
        state.wake_at = expected;
        while state.waiting.len() < expected && !state.closing {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { break };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    #[cfg(test)]
    pub(crate) fn expected(&self) -> usize {
        self.lock().expected
    }

    /// The room that a group took up is free again.
    pub(crate) fn release(&self, records: usize, bytes: usize) {
        let mut state = self.lock();
        state.records = state.records.saturating_sub(records);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// From now on appends are refused with this reason; those waiting fail with it as well.
    pub(crate) fn go_down(&self, reason: &LogError) {
        let waiting = {
            let mut state = self.lock();
            state.down = Some(reason.clone());
            std::mem::take(&mut state.waiting)
        };
        for pending in waiting {
            self.release(pending.encoded.places.len(), pending.encoded.bytes);
            self.counters.refused.fetch_add(1, Relaxed);
            drop(pending.reply.send(Err(reason.clone())));
        }
    }

    /// Appends are taken again.
    pub(crate) fn come_up(&self) {
        self.lock().down = None;
    }

    /// Why appends are refused at present.
    pub(crate) fn down(&self) -> Option<LogError> {
        self.lock().down.clone()
    }

    /// No more appends will come.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// Waits that long; returns early, and true, once the queue is closed.
    pub(crate) fn closed_within(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        while !state.closing {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return false;
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(crate) fn stats(&self) -> LogStats {
        let (records, bytes) = {
            let state = self.lock();
            (state.records as u64, state.bytes as u64)
        };
        self.counters.snapshot(records, bytes)
    }
}
