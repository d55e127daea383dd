//! The log on one machine, on fjall.
//!
//! ```text
//! append -> encoded on the caller's thread -> queue (bounded) -> writer thread: one batch, one sync per group
//!                                                                  |-> durable ends -> readers
//!                                                                  '-> acknowledgements
//! ```
//! After a failed write or sync the writer refuses everything, reopens the storage, checks that all that was
//! acknowledged is there, and goes on; while the disk is full it tries again every second.

mod config;
mod format;
mod open_error;
mod pending;
mod queue;
mod stats;
mod storage;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
pub use config::EmbeddedLogConfig;

use format::{ChunkPlace, ChunkRecords};
use hindcast_data_folder::Folder;
use hindcast_domain::Position;
pub use open_error::OpenError;
use pending::{Encoded, Pending};
use queue::Queue;
pub use stats::LogStats;
use storage::{
    Chunk, Storage,
    fjall::{FjallStorage, Memory},
};
use tokio::sync::{oneshot, watch};
use writer::Writer;

use crate::{
    Appending, Log, LogError, LogIdentity, NewRecord, Outcome, ReadLimit, Record, RecordType, Topic, ends::Ends,
    layout::Layout,
};

/// What the data folder is said to hold, and the newest format of it that this program reads.
const FOLDER_KIND: &str = "log";
const FOLDER_VERSION: u32 = 1;

/// What the writer answers.
type Answer = oneshot::Receiver<Result<Vec<Position>, LogError>>;

/// The log on one machine. Dropping it writes what waits, and returns when all files are closed.
pub struct EmbeddedLog {
    identity: LogIdentity,
    layout: Layout,
    storage: Arc<dyn Storage>,
    queue: Arc<Queue>,
    ends: Arc<Ends>,
    writer: Option<JoinHandle<()>>,
    /// Last, so that the folder is free only after its files are closed.
    _folder: Option<Folder>,
}

impl EmbeddedLog {
    /// Opens the log in a folder, making it if the folder is absent or empty.
    ///
    /// # Errors
    /// When a setting is out of range, or the folder or what is in it can't be used.
    pub fn open(dir: &Path, config: &EmbeddedLogConfig) -> Result<Self, OpenError> {
        config.check()?;
        let failed = |source| OpenError::Log { dir: dir.to_owned(), source };
        let folder = hindcast_data_folder::open(dir, FOLDER_KIND, FOLDER_VERSION)?;
        let layout = Layout::with_partitions(config.partitions);
        let memory = Memory { cache_bytes: config.cache_bytes, memtables_bytes: config.memtables_bytes };
        // fjall refuses to open what it was interrupted in making.
        let database = folder.part("fjall", |new| FjallStorage::create(new, layout, memory).map_err(failed))?;
        let storage = FjallStorage::open(&database, layout, memory, |chunk| {
            genesis_of(chunk).and_then(|found| match_partitions(config, &found))
        })
        .map_err(failed)?;
        Self::start(dir, config, Arc::new(storage), Some(folder))
    }

    /// Opens the log on a storage. `dir` is for error messages.
    fn start(
        dir: &Path,
        config: &EmbeddedLogConfig,
        storage: Arc<dyn Storage>,
        folder: Option<Folder>,
    ) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Log { dir: dir.to_owned(), source };
        let layout = Layout::with_partitions(config.partitions);
        let slots = layout.all().count();
        let mut next = Vec::with_capacity(slots);
        for slot in 0..slots {
            next.push(storage.last_offset(slot).map_err(failed)?.map_or(0, |last| last + 1));
        }
        let identity = if next.iter().all(|&end| end == 0) {
            let identity = LogIdentity { journal_id: uuid::Uuid::now_v7(), epoch: 0, partitions: config.partitions };
            storage.commit(genesis_chunks(&identity)).map_err(failed)?;
            next.fill(1);
            identity
        } else {
            let identity = found_identity(dir, &*storage, slots)?;
            match_partitions(config, &identity).map_err(failed)?;
            identity
        };
        let ends = Arc::new(Ends::new(slots));
        for (slot, &end) in next.iter().enumerate() {
            ends.raise(slot, end);
        }
        let queue = Arc::new(Queue::new(config));
        let writer = Writer {
            storage: Arc::clone(&storage),
            queue: Arc::clone(&queue),
            ends: Arc::clone(&ends),
            epoch: identity.epoch,
            next,
        };
        let writer = thread::Builder::new().name("log-writer".to_owned()).spawn({
            let queue = Arc::clone(&queue);
            move || {
                writer.run();
                if queue.down().is_none() {
                    queue.go_down(&LogError::not_stored("the log was closed"));
                }
            }
        })?;
        Ok(Self { identity, layout, storage, queue, ends, writer: Some(writer), _folder: folder })
    }

    /// Counters since the log was opened.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        self.queue.stats()
    }

    fn enqueue(&self, records: &[NewRecord]) -> Result<Answer, LogError> {
        let encoded = Encoded::new(records, self.layout)?;
        let (reply, answer) = oneshot::channel();
        self.queue.push(Pending { encoded, reply })?;
        Ok(answer)
    }
}

impl Log for EmbeddedLog {
    fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn append(&self, records: Vec<NewRecord>) -> Appending {
        if records.is_empty() {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        match self.enqueue(&records) {
            Err(refused) => Box::pin(std::future::ready(Err(refused))),
            Ok(answer) => Box::pin(async move {
                answer.await.unwrap_or_else(|_| Err(LogError::unknown("the log's thread ended unexpectedly")))
            }),
        }
    }

    fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        let slot = self.layout.slot(topic, partition).ok_or_else(|| LogError::no_such_partition(topic, partition))?;
        let end = self.ends.get(slot);
        let mut next = from_offset;
        if from_offset >= end {
            return Ok(next);
        }
        let mut left = limit.bytes;
        let before = into.len();
        self.storage.scan(slot, from_offset, &mut |last_offset, chunk| {
            if last_offset >= end {
                // Written and not yet durable.
                return Ok(false);
            }
            let place = ChunkPlace { epoch: self.identity.epoch, partition, last_offset };
            let mut records = ChunkRecords::from(Bytes::copy_from_slice(chunk), place, next)?;
            if records.next_offset() != next {
                return Err(LogError {
                    retryable: false,
                    outcome: Outcome::NotStored,
                    detail: format!("{} {partition}: records from {next} on are missing", topic.name()),
                });
            }
            while let Some(record) = records.next()? {
                let bytes = record.key.len() + record.value.len();
                let taken = into.len() - before;
                if taken > 0 && (taken >= limit.records || bytes > left) {
                    return Ok(false);
                }
                left = left.saturating_sub(bytes);
                next = record.offset + 1;
                into.push(record);
            }
            Ok(true)
        })?;
        Ok(next)
    }

    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64> {
        // A partition that doesn't exist is one that stays empty.
        self.layout.slot(topic, partition).and_then(|slot| self.ends.watch(slot)).unwrap_or_else(|| watch::channel(0).1)
    }

    fn health(&self) -> Result<(), String> {
        self.queue.down().map_or(Ok(()), |down| Err(down.detail))
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the log's thread had panicked");
        }
    }
}

impl fmt::Debug for EmbeddedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedLog")
            .field("identity", &self.identity)
            .field("syncs", &self.queue.counters.syncs.load(Relaxed))
            .finish_non_exhaustive()
    }
}

fn genesis_chunks(identity: &LogIdentity) -> Vec<Chunk> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp_us = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    Layout::of(identity)
        .all()
        .enumerate()
        .map(|(slot, (topic, partition))| {
            let genesis = NewRecord {
                topic,
                partition,
                key: Arc::default(),
                record_type: RecordType::Genesis,
                timestamp_us,
                traceparent: None,
                value: identity.to_genesis(),
            };
            let mut encoded = Vec::new();
            format::encode_record(&genesis, None, &mut encoded);
            let mut chunk = format::ChunkBuilder::new();
            chunk.add(1, &encoded);
            Chunk { slot, last_offset: 0, bytes: chunk.finish() }
        })
        .collect()
}

fn genesis_of(chunk: &[u8]) -> Result<LogIdentity, LogError> {
    let place = ChunkPlace { epoch: 0, partition: 0, last_offset: 0 };
    let first = ChunkRecords::from(Bytes::copy_from_slice(chunk), place, 0)?.next()?;
    LogIdentity::from_genesis(first.as_ref().map_or(&[][..], |record| &record.value))
}

/// What the genesis records say; they must all say the same.
fn found_identity(dir: &Path, storage: &dyn Storage, slots: usize) -> Result<LogIdentity, OpenError> {
    let mut found: Option<LogIdentity> = None;
    for slot in 0..slots {
        let mut first = None;
        storage
            .scan(slot, 0, &mut |_, chunk| {
                first = Some(genesis_of(chunk)?);
                Ok(false)
            })
            .map_err(|source| OpenError::Log { dir: dir.to_owned(), source })?;
        let detail = match (&found, first) {
            (None, Some(first)) => {
                found = Some(first);
                continue;
            }
            (Some(found), Some(first)) if *found == first => continue,
            (_, Some(_)) => "its partitions belong to different logs",
            (_, None) => "some of its partitions are empty",
        };
        return Err(OpenError::Mixed { dir: dir.to_owned(), detail: detail.to_owned() });
    }
    found.ok_or_else(|| OpenError::Mixed { dir: dir.to_owned(), detail: "it has no genesis record".to_owned() })
}

fn match_partitions(config: &EmbeddedLogConfig, found: &LogIdentity) -> Result<(), LogError> {
    if found.partitions == config.partitions {
        return Ok(());
    }
    Err(LogError {
        retryable: false,
        outcome: Outcome::NotStored,
        detail: format!(
            "this log has {} partitions, the configuration says {}: the number is fixed when a log is made",
            found.partitions, config.partitions
        ),
    })
}

#[cfg(test)]
mod simulated_disk;
#[cfg(test)]
mod tests;
