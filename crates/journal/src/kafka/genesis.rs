//! Agrees with all other processes on what this log is.
//!
//! The first record of control's only partition is the authority. Whoever finds that partition empty writes a genesis
//! record with a journal id of his own; if several do, the first one counts, as Kafka gave them an order. All other
//! partitions then get genesis records that say the same; a second one of the same journal is harmless.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rdkafka::{Message, Offset, TopicPartitionList, consumer::Consumer as _, message::BorrowedMessage};

use super::{
    KafkaLogConfig, KafkaOpenError,
    client::Consumer,
    offsets::{self, Side},
    producer::Producer,
    record,
    shared::Shared,
};
use crate::{LogError, LogIdentity, NewRecord, RecordType, Topic, wait::wait};

/// What is needed to read and write genesis records.
pub(super) struct Genesis<'a> {
    pub(super) config: &'a KafkaLogConfig,
    pub(super) shared: &'a Shared,
    pub(super) consumer: &'a Consumer,
    pub(super) producer: &'a Producer,
    pub(super) deadline: Instant,
}

/// The first record of a partition.
struct First {
    offset: u64,
    body: Vec<u8>,
}

impl Genesis<'_> {
    /// What this log is; makes it one if it is none yet.
    pub(super) fn agree(&self) -> Result<LogIdentity, KafkaOpenError> {
        let control = self.slots(|topic| topic == Topic::Control);
        let others = self.slots(|topic| topic != Topic::Control);
        let mut first = self.firsts(&control)?.pop_first();
        if first.is_none() {
            let left_alone = self.firsts(&others)?.pop_first();
            // Control is always the first to be written: whoever wrote to another partition did so there before.
            first = self.firsts(&control)?.pop_first();
            if let (None, Some((_, (topic, partition, _)))) = (&first, left_alone) {
                let detail = format!(
                    "has records, and {} has none: that topic was made anew; restore the log from an archive to another \
                     topic_prefix",
                    self.shared.topics.name(Topic::Control)
                );
                return Err(self.mixed(topic, partition, detail));
            }
        }
        if first.is_none() {
            let candidate =
                LogIdentity { journal_id: uuid::Uuid::now_v7(), epoch: 0, partitions: self.config.partitions };
            self.write(&candidate, &control)?;
            first = self.firsts(&control)?.pop_first();
        }
        let (_, (topic, partition, first)) = first.ok_or_else(|| missing(Topic::Control))?;
        let identity = self.identity_of(topic, partition, &first)?;
        if identity.partitions != self.config.partitions {
            return Err(self.mixed(
                Topic::Control,
                0,
                format!(
                    "this log was made with {} partitions, the configuration says {}: the number is fixed when a log \
                     is made",
                    identity.partitions, self.config.partitions
                ),
            ));
        }
        let found = self.firsts(&others)?;
        let empty: Vec<_> = others.into_iter().filter(|(slot, ..)| !found.contains_key(slot)).collect();
        self.compare(&identity, found)?;
        // Dead letters expire, all of a partition's even.
        if let Some(&(_, topic, partition)) = empty.iter().find(|(_, topic, _)| *topic != Topic::DeadLetters) {
            self.refuse_if_in_use(&control, topic, partition)?;
        }
        if !empty.is_empty() {
            self.write(&identity, &empty)?;
            self.compare(&identity, self.firsts(&empty)?)?;
        }
        Ok(identity)
    }

    fn slots(&self, of: impl Fn(Topic) -> bool) -> Vec<(usize, Topic, u16)> {
        let all = self.shared.layout.all().enumerate();
        all.filter(|(_, (topic, _))| of(*topic)).map(|(slot, (topic, partition))| (slot, topic, partition)).collect()
    }

    /// Nobody changes a setting before all partitions have their genesis records. So if there are settings, an empty
    /// partition is none that nobody got to yet: its records are gone.
    fn refuse_if_in_use(
        &self,
        control: &[(usize, Topic, u16)],
        empty: Topic,
        partition: u16,
    ) -> Result<(), KafkaOpenError> {
        let end = self.ask(|slot| control.iter().any(|&(found, ..)| found == slot), Side::End)?;
        let end = end.first().map_or(0, |&(_, end)| end);
        let mut settings = 0;
        self.scan(
            control,
            |_| Some(0),
            |_, message| {
                settings += usize::from(record::type_of_message(message) != RecordType::Genesis);
                settings == 0 && message.offset().unsigned_abs() + 1 < end
            },
        )?;
        if settings == 0 {
            return Ok(());
        }
        let detail = format!(
            "is empty, and {} holds settings: the topic was made anew; restore the log from an archive to another \
             topic_prefix",
            self.shared.topics.name(Topic::Control)
        );
        Err(self.mixed(empty, partition, detail))
    }

    fn compare(
        &self,
        identity: &LogIdentity,
        firsts: BTreeMap<usize, (Topic, u16, First)>,
    ) -> Result<(), KafkaOpenError> {
        for (topic, partition, first) in firsts.into_values() {
            // Old dead letters expire, the genesis record with them.
            if topic == Topic::DeadLetters && first.offset > 0 {
                continue;
            }
            let found = self.identity_of(topic, partition, &first)?;
            if found != *identity {
                return Err(self.mixed(
                    topic,
                    partition,
                    format!(
                        "belongs to journal {} (epoch {}), and control to {} (epoch {}): a topic was made anew or \
                         comes from elsewhere; restore the log from an archive to another topic_prefix",
                        found.journal_id, found.epoch, identity.journal_id, identity.epoch
                    ),
                ));
            }
        }
        Ok(())
    }

    fn identity_of(&self, topic: Topic, partition: u16, first: &First) -> Result<LogIdentity, KafkaOpenError> {
        if first.offset > 0 {
            let detail = format!(
                "begins at offset {}: its first records were removed; restore the log from an archive to another \
                 topic_prefix",
                first.offset
            );
            return Err(self.mixed(topic, partition, detail));
        }
        LogIdentity::from_genesis(&first.body).map_err(|error| {
            let detail = format!("does not begin as a log of Hindcast does ({error}): use another topic_prefix");
            self.mixed(topic, partition, detail)
        })
    }

    fn mixed(&self, topic: Topic, partition: u16, detail: String) -> KafkaOpenError {
        KafkaOpenError::Mixed { topic: self.shared.topics.name(topic).to_owned(), partition, detail }
    }

    fn write(&self, identity: &LogIdentity, slots: &[(usize, Topic, u16)]) -> Result<(), LogError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let records: Vec<_> = slots
            .iter()
            .map(|&(_, topic, partition)| NewRecord {
                topic,
                partition,
                key: Arc::default(),
                record_type: RecordType::Genesis,
                timestamp_us: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
                traceparent: None,
                value: identity.to_genesis(),
            })
            .collect();
        loop {
            let written = self
                .producer
                .send(identity.epoch, &records)
                .and_then(|answer| wait(answer).unwrap_or_else(|_| Err(LogError::unknown("the log was closed"))));
            match written {
                Ok(_) => return Ok(()),
                // Brokers may be slow with topics that were made a moment ago; a second genesis record is harmless.
                Err(error) if error.retryable && Instant::now() < self.deadline => {
                    tracing::debug!(%error, "writing genesis records again");
                    self.shared.health.found(&vec![true; self.shared.layout.all().count()]);
                    thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The first record of each of these slots that has any.
    fn firsts(&self, slots: &[(usize, Topic, u16)]) -> Result<BTreeMap<usize, (Topic, u16, First)>, KafkaOpenError> {
        let wanted = |slot| slots.iter().any(|&(wanted, ..)| wanted == slot);
        let starts: BTreeMap<_, _> = self.ask(wanted, Side::First)?.into_iter().collect();
        let ends: BTreeMap<_, _> = self.ask(wanted, Side::End)?.into_iter().collect();
        let start_of = |slot: usize| starts.get(&slot).copied().filter(|start| Some(start) < ends.get(&slot));
        let expected = slots.iter().filter(|&&(slot, ..)| start_of(slot).is_some()).count();
        let mut firsts = BTreeMap::new();
        if expected > 0 {
            self.scan(slots, start_of, |slot, message| {
                let found = slots.iter().find(|&&(wanted, ..)| wanted == slot);
                if let (Some(&(_, topic, partition)), Ok(offset)) = (found, u64::try_from(message.offset())) {
                    let body = record::body(message).to_vec();
                    firsts.entry(slot).or_insert((topic, partition, First { offset, body }));
                }
                firsts.len() < expected
            })?;
        }
        Ok(firsts)
    }

    /// Reads these slots, each from its start on if it has one, as long as the visitor wants more.
    fn scan(
        &self,
        slots: &[(usize, Topic, u16)],
        start_of: impl Fn(usize) -> Option<u64>,
        mut wants_more: impl FnMut(usize, &BorrowedMessage<'_>) -> bool,
    ) -> Result<(), LogError> {
        let mut list = TopicPartitionList::new();
        for &(slot, topic, partition) in slots {
            if let Some(start) = start_of(slot) {
                let start = Offset::Offset(i64::try_from(start).unwrap_or(i64::MAX));
                list.add_partition_offset(self.shared.topics.name(topic), i32::from(partition), start)
                    .map_err(|error| self.failed(&error.to_string()))?;
            }
        }
        self.consumer.assign(&list).map_err(|error| self.failed(&error.to_string()))?;
        loop {
            if Instant::now() >= self.deadline {
                return Err(self.failed("the records of its partitions did not come in time"));
            }
            let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(20)) else { continue };
            let slot = self.shared.slot_of(message.topic(), message.partition());
            if slot.is_some_and(|slot| !wants_more(slot, &message)) {
                break;
            }
        }
        self.consumer.unassign().map_err(|error| self.failed(&error.to_string()))
    }

    fn ask(&self, slots: impl Fn(usize) -> bool, side: Side) -> Result<Vec<(usize, u64)>, LogError> {
        offsets::ask_all(self.consumer, self.shared, slots, side, self.deadline)
    }

    fn failed(&self, detail: &str) -> LogError {
        LogError::not_stored(format!("Kafka at {}: {detail}", self.config.brokers))
    }
}

fn missing(topic: Topic) -> LogError {
    LogError::not_stored(format!("the genesis record of {} is not there after it was written", topic.name()))
}
