//! A log that misbehaves in all the ways its port allows, at moments drawn from a seed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::{oneshot, watch};

use crate::{Appending, Log, LogError, LogIdentity, NewRecord, ReadLimit, Record, Topic};

/// How often each fault happens, each from 0 to 1. They are drawn in this order; at most one of an append's first four
/// happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// An append fails before anything is written.
    pub not_stored: f64,
    /// An append is written, and then reported as unknown.
    pub unknown: f64,
    /// An append is reported as unknown at once, as after a timeout, while it is still being written.
    pub timeout: f64,
    /// An append is written twice, as by a client that repeats it by itself.
    pub duplicate: f64,
    /// An acknowledgement comes up to 3 ms late.
    pub delay: f64,
    /// A read fails.
    pub failed_read: f64,
    /// A read returns a single record.
    pub short_read: f64,
}

impl Faults {
    /// None at all.
    pub const NONE: Self = Self {
        not_stored: 0.0,
        unknown: 0.0,
        timeout: 0.0,
        duplicate: 0.0,
        delay: 0.0,
        failed_read: 0.0,
        short_read: 0.0,
    };

    /// Every fault, often enough that a short test meets each.
    pub const FREQUENT: Self = Self {
        not_stored: 0.1,
        unknown: 0.1,
        timeout: 0.1,
        duplicate: 0.05,
        delay: 0.2,
        failed_read: 0.1,
        short_read: 0.2,
    };
}

/// A log under a decorator that injects faults.
pub struct FaultyLog {
    inner: Arc<dyn Log>,
    faults: Mutex<Faults>,
    rng: Mutex<StdRng>,
}

enum Fate {
    NotStored,
    Unknown,
    Timeout,
    Duplicate,
    Fine,
}

impl FaultyLog {
    /// Injects faults at moments that the seed and the order of calls determine.
    #[must_use]
    pub fn new(inner: Arc<dyn Log>, seed: u64, faults: Faults) -> Self {
        Self { inner, faults: Mutex::new(faults), rng: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    /// From now on these faults happen.
    pub fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happens(&self, chance: f64) -> bool {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_bool(chance.clamp(0.0, 1.0))
    }

    fn fate(&self, faults: &Faults) -> Fate {
        if self.happens(faults.not_stored) {
            Fate::NotStored
        } else if self.happens(faults.unknown) {
            Fate::Unknown
        } else if self.happens(faults.timeout) {
            Fate::Timeout
        } else if self.happens(faults.duplicate) {
            Fate::Duplicate
        } else {
            Fate::Fine
        }
    }

    fn delay(&self, faults: &Faults) -> Option<Duration> {
        self.happens(faults.delay).then(|| {
            let micros = self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..3_000);
            Duration::from_micros(micros)
        })
    }
}

impl Log for FaultyLog {
    fn identity(&self) -> &LogIdentity {
        self.inner.identity()
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn append(&self, records: Vec<NewRecord>) -> Appending {
        let faults = self.faults();
        let delay = self.delay(&faults);
        // Whatever becomes of the answer, the records are taken in now: that keeps the order of calls.
        let (first, answer): (Option<Appending>, Appending) = match self.fate(&faults) {
            Fate::NotStored => (None, failed(LogError::not_stored("injected: failed before the write"))),
            Fate::Unknown => {
                (Some(self.inner.append(records)), failed(LogError::unknown("injected: failed after the write")))
            }
            Fate::Timeout => {
                drop(self.inner.append(records));
                (None, failed(LogError::unknown("injected: timed out")))
            }
            Fate::Duplicate => (Some(self.inner.append(records.clone())), self.inner.append(records)),
            Fate::Fine => (None, self.inner.append(records)),
        };
        Box::pin(async move {
            if let Some(first) = first {
                // A failure of the log itself is reported as such.
                first.await?;
            }
            let answer = answer.await;
            if let Some(delay) = delay {
                sleep(delay).await;
            }
            answer
        })
    }

    fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        let faults = self.faults();
        if self.happens(faults.failed_read) {
            return Err(LogError::not_stored("injected: could not read"));
        }
        let records = if self.happens(faults.short_read) { 1 } else { limit.records };
        self.inner.read(topic, partition, from_offset, ReadLimit { records, ..limit }, into)
    }

    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64> {
        self.inner.durable_end(topic, partition)
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }
}

fn failed(error: LogError) -> Appending {
    Box::pin(std::future::ready(Err(error)))
}

/// Works under any executor, and without one.
async fn sleep(delay: Duration) {
    let (wake, woken) = oneshot::channel::<()>();
    thread::spawn(move || {
        thread::sleep(delay);
        drop(wake);
    });
    drop(woken.await);
}
