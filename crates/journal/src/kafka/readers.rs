//! Random access reading: a bounded number of consumers, each standing somewhere.
//!
//! Who reads on from where a reader stands gets that reader, whose fetches run ahead. Who reads elsewhere gets a new
//! one, or the one that was idle longest. So several can read one partition at different places, and each reads
//! sequentially.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::ClientConfig;

use super::{
    KafkaLogConfig,
    client::{self, Fetching, Reports},
    closing::{Closing, close_apart},
    reader::Reader,
    shared::Shared,
};
use crate::{LogError, ReadLimit, Record, Topic};

/// A reader that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// A partition's end that was told longer ago is not known: whoever stands there must learn that he is cut off.
const STALE: Duration = Duration::from_secs(5);
/// Most that one fetch brings of a partition, in bytes, unless a single record is larger.
const FETCH_BYTES: usize = 1 << 20;

/// The consumers that are read with.
pub(super) struct Readers {
    settings: ClientConfig,
    prefix: String,
    max: usize,
    fetching: Fetching,
    timeout: Duration,
    shared: Arc<Shared>,
    reports: Reports,
    epoch: u8,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Reader>,
    /// Idle ones and those in use.
    count: usize,
}

impl Readers {
    pub(super) fn new(
        config: &KafkaLogConfig,
        common: &ClientConfig,
        shared: Arc<Shared>,
        reports: Reports,
        epoch: u8,
    ) -> Self {
        Self {
            settings: common.clone(),
            prefix: config.topic_prefix.clone(),
            max: config.max_readers,
            fetching: Fetching { buffer_bytes: config.read_buffer_bytes, fetch_bytes: FETCH_BYTES, wait_ms: 500 },
            timeout: Duration::from_millis(config.read_timeout_ms),
            shared,
            reports,
            epoch,
            pool: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads records of a partition from an offset on; returns the offset to go on from.
    pub(super) fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        let slot =
            self.shared.layout.slot(topic, partition).ok_or_else(|| LogError::no_such_partition(topic, partition))?;
        let end = self.shared.ends.get(slot);
        if from_offset >= end {
            // That there is nothing more can only be said by who knows.
            let age = self.shared.heard_of.age(slot);
            return if age < STALE {
                Ok(from_offset)
            } else {
                let name = self.shared.topics.name(topic);
                let ago = age.as_secs();
                Err(LogError::not_stored(format!("{name}, partition {partition}: not heard of for {ago} s")))
            };
        }
        let deadline = Instant::now() + self.timeout;
        let mut reader = self.take((topic, partition), from_offset, deadline)?;
        let read = reader.read(end, limit, deadline, into);
        match &read {
            Ok(next) => {
                // Another process may have appended more than we heard of so far.
                self.shared.ends.raise(slot, *next);
                self.give_back(Some(reader));
            }
            // It is closed; the next call begins with a new one.
            Err(_) => {
                drop(close_apart(reader));
                self.give_back(None);
            }
        }
        read
    }

    /// A reader that stands where the caller wants to read.
    fn take(&self, partition: (Topic, u16), offset: u64, deadline: Instant) -> Result<Reader, LogError> {
        let mut pool = self.lock();
        let found = loop {
            let standing = pool.idle.iter().position(|reader| reader.stands_at(partition, offset));
            if let Some(at) = standing {
                return Ok(pool.idle.swap_remove(at));
            }
            if pool.count < self.max {
                pool.count += 1;
                break None;
            }
            let longest_idle = (0..pool.idle.len()).min_by_key(|&at| pool.idle.get(at).map(Reader::last_used));
            if let Some(at) = longest_idle {
                break Some(pool.idle.swap_remove(at));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LogError::not_stored(format!("all {} readers of the log are busy", self.max)));
            }
            pool = self.returned.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(pool);
        let moved =
            found.map_or_else(|| self.open(), Ok).and_then(|mut reader| match reader.go_to(partition, offset) {
                Ok(()) => Ok(reader),
                Err(error) => {
                    drop(close_apart(reader));
                    Err(error)
                }
            });
        if moved.is_err() {
            self.give_back(None);
        }
        moved
    }

    fn open(&self) -> Result<Reader, LogError> {
        client::consumer(&self.settings, &self.prefix, self.fetching, self.reports.clone())
            .map(|consumer| Reader::new(consumer, self.shared.topics.clone(), self.epoch))
            .map_err(|error| LogError::not_stored(format!("a reader of the log could not be made: {error}")))
    }

    fn give_back(&self, reader: Option<Reader>) {
        let mut pool = self.lock();
        match reader {
            Some(reader) => pool.idle.push(reader),
            None => pool.count -= 1,
        }
        drop(pool);
        self.returned.notify_one();
    }

    /// Closes readers that nobody used for a while.
    pub(super) fn close_idle(&self) {
        let closed: Vec<_> = {
            let mut pool = self.lock();
            let (closed, kept): (Vec<_>, Vec<_>) =
                std::mem::take(&mut pool.idle).into_iter().partition(|reader| reader.last_used().elapsed() > IDLE);
            pool.idle = kept;
            pool.count -= closed.len();
            closed
        };
        closed.into_iter().for_each(|reader| drop(close_apart(reader)));
    }

    /// Readers that exist now.
    pub(super) fn count(&self) -> usize {
        self.lock().count
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut self.lock().idle);
        let closing: Vec<_> = idle.into_iter().map(close_apart).collect();
        if !closing.into_iter().all(Closing::wait) {
            tracing::error!("a reader of Kafka can't be closed; it is left behind");
        }
    }
}
