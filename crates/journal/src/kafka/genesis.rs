//! Agrees with all other processes on what this log is.
//!
//! The first record of control's only partition is the authority. Whoever finds that partition empty writes a genesis
//! record with a journal id of his own; if several do, the first one counts, as Kafka gave them an order. All other
//! partitions then get genesis records that say the same; a second one of the same journal is harmless.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rdkafka::{Message, Offset, TopicPartitionList, consumer::Consumer as _};

use super::{
    KafkaLogConfig, KafkaOpenError,
    client::Consumer,
    offsets::{self, Side},
    producer::Producer,
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
    value: Vec<u8>,
}

impl Genesis<'_> {
    /// What this log is; makes it one if it is none yet.
    pub(super) fn agree(&self) -> Result<LogIdentity, KafkaOpenError> {
        let control = self.slots(|topic| topic == Topic::Control);
        let identity = match self.firsts(&control)?.pop_first() {
            Some((_, (topic, partition, first))) => self.identity_of(topic, partition, &first)?,
            None => {
                let candidate =
                    LogIdentity { journal_id: uuid::Uuid::now_v7(), epoch: 0, partitions: self.config.partitions };
                self.write(&candidate, &control)?;
                let written = self.firsts(&control)?.pop_first();
                let (_, (topic, partition, first)) = written.ok_or_else(|| missing(Topic::Control))?;
                self.identity_of(topic, partition, &first)?
            }
        };
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
        let others = self.slots(|topic| topic != Topic::Control);
        let found = self.firsts(&others)?;
        let empty: Vec<_> = others.into_iter().filter(|(slot, ..)| !found.contains_key(slot)).collect();
        self.compare(&identity, found)?;
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
        LogIdentity::from_genesis(&first.value).map_err(|error| {
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
                key: Box::default(),
                record_type: RecordType::Genesis,
                timestamp_us: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
                traceparent: None,
                value: identity.to_genesis(),
            })
            .collect();
        let answer = self.producer.send(identity.epoch, &records)?;
        wait(answer).unwrap_or_else(|_| Err(LogError::unknown("the log was closed")))?;
        Ok(())
    }

    /// The first record of each of these slots that has any.
    fn firsts(&self, slots: &[(usize, Topic, u16)]) -> Result<BTreeMap<usize, (Topic, u16, First)>, KafkaOpenError> {
        let wanted = |slot| slots.iter().any(|&(wanted, ..)| wanted == slot);
        let mut starts: BTreeMap<_, _> = self.ask(wanted, Side::First)?.into_iter().collect();
        let ends = self.ask(wanted, Side::End)?;
        let mut list = TopicPartitionList::new();
        let mut expected = BTreeMap::new();
        for &(slot, topic, partition) in slots {
            let end = ends.iter().find(|(found, _)| *found == slot).map_or(0, |&(_, end)| end);
            let Some(start) = starts.remove(&slot).filter(|&start| start < end) else { continue };
            let start = Offset::Offset(i64::try_from(start).unwrap_or(i64::MAX));
            list.add_partition_offset(self.shared.topics.name(topic), i32::from(partition), start)
                .map_err(|error| self.failed(&error.to_string()))?;
            expected.insert(slot, (topic, partition));
        }
        let mut firsts = BTreeMap::new();
        self.consumer.assign(&list).map_err(|error| self.failed(&error.to_string()))?;
        while firsts.len() < expected.len() {
            if Instant::now() >= self.deadline {
                return Err(self.failed("the first records of its partitions did not come in time").into());
            }
            let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(20)) else { continue };
            let Some(slot) = self.shared.slot_of(message.topic(), message.partition()) else { continue };
            if let (Some(&(topic, partition)), Ok(offset)) = (expected.get(&slot), u64::try_from(message.offset())) {
                let value = message.payload().unwrap_or_default().to_vec();
                firsts.entry(slot).or_insert((topic, partition, First { offset, value }));
            }
        }
        self.consumer.unassign().map_err(|error| self.failed(&error.to_string()))?;
        Ok(firsts)
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
