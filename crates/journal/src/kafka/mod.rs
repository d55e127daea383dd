//! The log on Apache Kafka.
//!
//! ```text
//! append -> producer (idempotent, acks=all) -> brokers -> deliveries thread: ends, then acknowledgements
//! read   -> a reader that stands there (each a consumer of one partition, fetching ahead) -> records
//! watcher thread: stands at all ends, woken by what anybody appends; looks at what is down; remakes the producer
//! ```
//! Each record of an append survives on its own. What is known to be down is refused at once; what times out may have
//! been stored.

pub mod bare;
mod behind;
mod client;
mod closing;
mod config;
mod delivery;
mod genesis;
mod group;
mod health;
mod offsets;
mod open_error;
mod pending;
mod producer;
mod reader;
mod readers;
mod record;
mod remove;
mod shared;
mod topics;
mod watcher;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use behind::Behind;
use client::{Fetching, Reports};
use closing::close_apart;
pub use config::{KafkaLogConfig, KafkaSecurity, SaslMechanism, SecurityProtocol};
use genesis::Genesis;
pub use group::{KafkaGroupConfig, KafkaMembership};
use health::Health;
use offsets::Side;
pub use open_error::KafkaOpenError;
use producer::Producer;
use readers::Readers;
pub use remove::remove;
use shared::Shared;
use tokio::sync::watch;
use topics::Topics;
use watcher::Watcher;

use crate::{Appending, Log, LogError, LogIdentity, NewRecord, ReadLimit, Record, Topic, layout::Layout};

/// The watcher needs the offsets only, and asks for ends between its fetches.
const WATCHING: Fetching = Fetching { buffer_bytes: 256 << 10, fetch_bytes: 8 << 10, wait_ms: 250 };

/// The log on Kafka. Dropping it waits, at most the delivery time-out, for what was appended.
pub struct KafkaLog {
    identity: LogIdentity,
    shared: Arc<Shared>,
    producer: Arc<Producer>,
    readers: Arc<Readers>,
    closing: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

/// Counters since the log was opened, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KafkaLogStats {
    /// Records acknowledged by the brokers.
    pub records: u64,
    /// Bytes of records acknowledged by the brokers, before compression.
    pub bytes: u64,
    /// Records sent and not yet acknowledged.
    pub queued_records: u64,
    /// Bytes of records sent and not yet acknowledged.
    pub queued_bytes: u64,
    /// Appends refused because too much was waiting or the log was down.
    pub refused: u64,
    /// Records that were sent and not acknowledged.
    pub failures: u64,
    /// Consumers that are read with.
    pub readers: u64,
}

impl KafkaLog {
    /// Opens the log, making its topics if they don't exist and the configuration allows it. Blocks, at most the
    /// configured time.
    ///
    /// # Errors
    /// When a setting is out of range, no broker answers, or a topic is not as it must be or belongs to another log.
    pub fn open(config: &KafkaLogConfig) -> Result<Self, KafkaOpenError> {
        config.check()?;
        let deadline = Instant::now() + Duration::from_millis(config.open_timeout_ms);
        let slots = Layout::with_partitions(config.partitions).all().count();
        let health = Arc::new(Health::new(slots));
        let shared = Arc::new(Shared::new(config, Arc::clone(&health)));
        let reports = Reports::new(health);
        let common = client::common(config)?;

        let consumer = client::consumer(&common, &config.topic_prefix, WATCHING, reports.clone())
            .map_err(|error| KafkaOpenError::Client(error.to_string()))?;
        Topics::new(config, &shared.topics, &consumer, &common, reports.clone(), deadline)?.prepare()?;
        let producer = Arc::new(Producer::new(config, &common, Arc::clone(&shared), reports.clone())?);
        let genesis = Genesis { config, shared: &shared, consumer: &consumer, producer: &producer, deadline };
        let identity = genesis.agree()?;
        for (slot, end) in offsets::ask_all(&consumer, &shared, |_| true, Side::End, deadline)? {
            shared.ends.raise(slot, end);
            shared.heard_of.note(slot);
            shared.acknowledged.rise(slot, end);
        }
        let readers = Arc::new(Readers::new(config, &common, Arc::clone(&shared), reports, identity.epoch));
        let closing = Arc::new(AtomicBool::new(false));
        let watcher = Watcher {
            shared: Arc::clone(&shared),
            consumer,
            producer: Arc::clone(&producer),
            readers: Arc::clone(&readers),
            closing: Arc::clone(&closing),
            min_insync_replicas: usize::from(config.min_insync_replicas),
            behind: Behind::new(slots),
        };
        let watcher = thread::Builder::new().name("kafka-watcher".to_owned()).spawn(move || watcher.run())?;
        Ok(Self { identity, shared, producer, readers, closing, watcher: Some(watcher) })
    }

    /// Counters since the log was opened.
    #[must_use]
    pub fn stats(&self) -> KafkaLogStats {
        let (queued_records, queued_bytes) = self.shared.bound.waiting();
        let counters = &self.shared.counters;
        KafkaLogStats {
            records: counters.records.load(Relaxed),
            bytes: counters.bytes.load(Relaxed),
            queued_records: queued_records as u64,
            queued_bytes: queued_bytes as u64,
            refused: counters.refused.load(Relaxed),
            failures: counters.failures.load(Relaxed),
            readers: self.readers.count() as u64,
        }
    }
}

impl Log for KafkaLog {
    fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn append(&self, records: Vec<NewRecord>) -> Appending {
        if records.is_empty() {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        match self.producer.send(self.identity.epoch, &records) {
            Err(refused) => {
                self.shared.counters.refused.fetch_add(1, Relaxed);
                Box::pin(std::future::ready(Err(refused)))
            }
            Ok(answer) => {
                Box::pin(async move { answer.await.unwrap_or_else(|_| Err(LogError::unknown("the log was closed"))) })
            }
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
        self.readers.read(topic, partition, from_offset, limit, into)
    }

    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64> {
        // A partition that doesn't exist is one that stays empty.
        let slot = self.shared.layout.slot(topic, partition);
        slot.and_then(|slot| self.shared.ends.watch(slot)).unwrap_or_else(|| watch::channel(0).1)
    }

    fn health(&self) -> Result<(), String> {
        self.shared.health.check()
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        self.closing.store(true, SeqCst);
        self.producer.close();
        // Its end is the end of its consumer, which may be stuck.
        if let Some(watcher) = self.watcher.take()
            && !close_apart(Joined(Some(watcher))).wait()
        {
            tracing::error!("the consumer that watches Kafka can't be closed; it is left behind");
        }
    }
}

/// Joins a thread when it is dropped.
struct Joined(Option<thread::JoinHandle<()>>);

impl Drop for Joined {
    fn drop(&mut self) {
        if self.0.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that watches Kafka had panicked");
        }
    }
}

impl fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaLog").field("identity", &self.identity).finish_non_exhaustive()
    }
}
