//! The thread that knows where partitions end and whether they can be written to.
//!
//! It stands at the end of every partition and is woken by whatever anybody appends, within a millisecond or two. It
//! does not need the records: once many come, it asks for the ends instead and goes there, so that what it fetches is
//! bounded however much is written. Besides, it asks for all ends once a second: one request a broker.

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{Message, Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaError};

use super::{
    behind::Behind,
    client::Consumer,
    offsets::{self, Side},
    producer::Producer,
    readers::Readers,
    shared::Shared,
};
use crate::Topic;

/// How often all ends are asked for.
const REFRESH: Duration = Duration::from_secs(1);
/// How often what is down is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that a broker may take to answer a look.
const ANSWER: Duration = Duration::from_secs(2);
/// The longest wait for records; closing the log takes that long.
const POLL: Duration = Duration::from_millis(50);
/// Once so many records were fetched without a pause, the ends are asked for instead.
const MANY: usize = 256;
/// The pause after that.
const BREATH: Duration = Duration::from_millis(10);

/// The thread's state.
pub(super) struct Watcher {
    pub(super) shared: Arc<Shared>,
    pub(super) consumer: Consumer,
    pub(super) producer: Arc<Producer>,
    pub(super) readers: Arc<Readers>,
    pub(super) closing: Arc<AtomicBool>,
    pub(super) min_insync_replicas: usize,
    pub(super) behind: Behind,
}

impl Watcher {
    /// Watches until the log is closed.
    pub(super) fn run(mut self) {
        self.go_to_ends();
        let mut refreshed = Instant::now();
        let mut looked = Instant::now();
        while !self.closing.load(SeqCst) {
            if self.follow() >= MANY {
                self.refresh();
                self.go_to_ends();
                thread::sleep(BREATH);
            }
            let down = self.shared.health.is_down();
            if self.shared.health.take_suspicion() || (down && looked.elapsed() > LOOK) {
                self.look();
                looked = Instant::now();
            } else if !down && refreshed.elapsed() > REFRESH {
                self.refresh();
                self.readers.close_idle();
                refreshed = Instant::now();
            }
        }
    }

    /// Waits a moment for records, and takes note of those that are there; returns how many.
    fn follow(&self) -> usize {
        let mut count = 0;
        let mut patience = POLL;
        while count < MANY {
            match self.consumer.poll(patience) {
                Some(Ok(message)) => {
                    let slot = self.shared.slot_of(message.topic(), message.partition());
                    if let (Some(slot), Ok(offset)) = (slot, u64::try_from(message.offset())) {
                        self.shared.ends.raise(slot, offset + 1);
                    }
                    count += 1;
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "following the ends of Kafka's partitions goes on");
                    count += 1;
                }
                None => break,
            }
            patience = Duration::ZERO;
        }
        count
    }

    /// Stands at the end of every partition.
    fn go_to_ends(&self) {
        let mut list = TopicPartitionList::new();
        for (slot, (topic, partition)) in self.shared.layout.all().enumerate() {
            let end = Offset::Offset(i64::try_from(self.shared.ends.get(slot)).unwrap_or(i64::MAX));
            if let Err(error) = list.add_partition_offset(self.shared.topics.name(topic), i32::from(partition), end) {
                tracing::warn!(%error, "a partition can't be followed");
            }
        }
        if let Err(error) = self.consumer.assign(&list) {
            // The ends are still asked for once a second.
            tracing::warn!(%error, "Kafka's partitions can't be followed");
        }
    }

    /// Asks for all ends.
    fn refresh(&mut self) {
        if let Err(error) = self.ask(|_| true) {
            self.shared.health.suspect(&error.to_string());
        }
    }

    /// Asks for the ends of slots and takes note of them; returns the slots whose leader answered.
    fn ask(&mut self, slots: impl Fn(usize) -> bool) -> Result<Vec<usize>, KafkaError> {
        // What is acknowledged while we ask may be missing in the answer.
        let acknowledged: Vec<u64> =
            (0..self.shared.layout.all().count()).map(|slot| self.shared.acknowledged.get(slot)).collect();
        let told = offsets::ask(&self.consumer, &self.shared, slots, Side::End, ANSWER);
        let ends = told.as_deref().unwrap_or_default();
        self.behind.keep(|slot| ends.iter().any(|&(told, _)| told == slot));
        for &(slot, end) in ends {
            self.shared.heard_of.note(slot);
            self.shared.ends.raise(slot, end);
            let acknowledged = acknowledged.get(slot).copied().unwrap_or_default();
            if self.behind.told(slot, end, acknowledged, Instant::now()) {
                self.tell_of_loss(slot, end, acknowledged);
            }
        }
        told.map(|ends| ends.into_iter().map(|(slot, _)| slot).collect())
    }

    fn tell_of_loss(&self, slot: usize, end: u64, acknowledged: u64) {
        let (topic, partition) = self.shared.layout.all().nth(slot).unwrap_or((Topic::Journal, 0));
        self.shared.health.log_lost(format!(
            "{}, partition {partition} ends at {end}, and records up to {acknowledged} were acknowledged: the topic \
             was made anew or lost records; stop, and restore it from an archive",
            self.shared.topics.name(topic)
        ));
    }

    /// Looks whether brokers can be reached and partitions can be written to.
    fn look(&mut self) {
        let health = Arc::clone(&self.shared.health);
        if health.has_producer_failed() {
            match self.producer.remake() {
                Ok(()) => {
                    tracing::info!("the producer was made anew");
                    health.producer_remade();
                }
                Err(error) => return health.log_down(&format!("the producer could not be made anew: {error}")),
            }
        }
        let before = self.shared.counters.records.load(Relaxed);
        let mut ready = match self.ready() {
            Ok(ready) => ready,
            Err(reason) => {
                // Unless others answer, as this one broker may be hung.
                if self.shared.counters.records.load(Relaxed) == before {
                    if health.check().is_ok() {
                        tracing::warn!(reason, "Kafka can't be reached; appends are refused");
                    }
                    health.log_down(&reason);
                }
                return;
            }
        };
        match self.ask(|slot| ready.get(slot) == Some(&true)) {
            Ok(answered) => {
                for (slot, ready) in ready.iter_mut().enumerate() {
                    *ready &= answered.contains(&slot);
                }
                health.found(&ready);
            }
            Err(error) => tracing::debug!(%error, "some of Kafka's partitions don't answer"),
        }
    }

    /// By slot, whether the partition has a leader and enough copies.
    fn ready(&self) -> Result<Vec<bool>, String> {
        let mut ready = Vec::new();
        for topic in Topic::ALL {
            let name = self.shared.topics.name(topic);
            let metadata = self
                .consumer
                .fetch_metadata(Some(name), ANSWER)
                .map_err(|error| format!("Kafka can't be reached: {error}"))?;
            let found = metadata.topics().iter().find(|found| found.name() == name);
            for partition in 0..self.shared.layout.partitions_of(topic) {
                let partition =
                    found.and_then(|found| found.partitions().iter().find(|found| found.id() == i32::from(partition)));
                ready.push(partition.is_some_and(|partition| {
                    partition.leader() >= 0 && partition.isr().len() >= self.min_insync_replicas
                }));
            }
        }
        Ok(ready)
    }
}
