//! A log in memory, for tests of those who use a log. What is appended is durable at once.

use std::{
    future,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use hindcast_domain::Position;
use tokio::sync::watch;

use crate::{Appending, Log, LogError, LogIdentity, NewRecord, ReadLimit, Record, RecordType, Topic, layout::Layout};

/// A log in memory. Clones are the same log.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    identity: LogIdentity,
    shared: bool,
    partitions: Arc<Vec<Partition>>,
    down: Arc<Mutex<Option<String>>>,
}

#[derive(Debug)]
struct Partition {
    records: Mutex<Vec<Record>>,
    durable_end: watch::Sender<u64>,
}

impl MemoryLog {
    /// An empty log of that many partitions: only the genesis records are in it.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self::with_identity(LogIdentity { journal_id: uuid::Uuid::from_u128(0x6d65_6d6f_7279), epoch: 0, partitions })
    }

    /// An empty log with an identity of the caller's.
    #[must_use]
    pub fn with_identity(identity: LogIdentity) -> Self {
        let partitions =
            Layout::of(&identity).all().map(|(topic, partition)| Partition::new(&identity, topic, partition)).collect();
        Self { identity, shared: false, partitions: Arc::new(partitions), down: Arc::default() }
    }

    /// The same log, said to be one that other processes append to as well.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// From now on appends fail with this reason, or succeed again.
    pub fn set_down(&self, reason: Option<&str>) {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = reason.map(str::to_owned);
    }

    fn down(&self) -> Option<String> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn partition(&self, topic: Topic, partition: u16) -> Option<&Partition> {
        self.partitions.get(Layout::of(&self.identity).slot(topic, partition)?)
    }

    fn append_now(&self, records: Vec<NewRecord>) -> Result<Vec<Position>, LogError> {
        if let Some(reason) = self.down() {
            return Err(LogError::not_stored(reason));
        }
        // All or none: every destination is looked up before anything is stored.
        let destinations = records
            .iter()
            .map(|record| {
                self.partition(record.topic, record.partition)
                    .ok_or_else(|| LogError::no_such_partition(record.topic, record.partition))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(destinations
            .iter()
            .zip(records)
            .map(|(destination, record)| destination.push(self.identity.epoch, record))
            .collect())
    }
}

impl Partition {
    fn new(identity: &LogIdentity, topic: Topic, partition: u16) -> Self {
        let new = Self { records: Mutex::default(), durable_end: watch::channel(0).0 };
        new.push(
            identity.epoch,
            NewRecord {
                topic,
                partition,
                key: Arc::default(),
                record_type: RecordType::Genesis,
                timestamp_us: 0,
                traceparent: None,
                value: identity.to_genesis(),
            },
        );
        new
    }

    fn push(&self, epoch: u8, record: NewRecord) -> Position {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = records.len() as u64;
        let position = Position { epoch, partition: record.partition, offset };
        records.push(Record {
            offset,
            position,
            record_type: record.record_type,
            timestamp_us: record.timestamp_us,
            key: Bytes::copy_from_slice(&record.key),
            traceparent: record.traceparent,
            value: Bytes::from(record.value),
        });
        self.durable_end.send_replace(offset + 1);
        position
    }
}

impl Log for MemoryLog {
    fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    fn is_shared(&self) -> bool {
        self.shared
    }

    fn append(&self, records: Vec<NewRecord>) -> Appending {
        Box::pin(future::ready(self.append_now(records)))
    }

    fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        let found = self.partition(topic, partition).ok_or_else(|| LogError::no_such_partition(topic, partition))?;
        let records = found.records.lock().unwrap_or_else(PoisonError::into_inner);
        let from = usize::try_from(from_offset).unwrap_or(usize::MAX);
        let mut next = from_offset;
        let mut bytes = 0;
        for (taken, record) in records.iter().skip(from).enumerate() {
            bytes += record.key.len() + record.value.len();
            if taken > 0 && (taken >= limit.records || bytes > limit.bytes) {
                break;
            }
            next = record.offset + 1;
            into.push(record.clone());
        }
        Ok(next)
    }

    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64> {
        // A partition that doesn't exist is one that stays empty.
        self.partition(topic, partition).map_or_else(|| watch::channel(0).1, |found| found.durable_end.subscribe())
    }

    fn health(&self) -> Result<(), String> {
        self.down().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        contract::Subject,
        faults::{Faults, FaultyLog},
    };

    mod alone {
        use super::*;
        crate::log_contract!(|_| Subject::exact(MemoryLog::new(3)));
    }

    mod with_faults {
        use super::*;
        crate::log_contract!(|seed| Subject::faulty(FaultyLog::new(
            Arc::new(MemoryLog::new(3)),
            seed,
            Faults::FREQUENT
        )));
    }

    #[test]
    fn a_log_set_down_refuses() {
        let log = MemoryLog::new(2);
        log.set_down(Some("the disk is full"));
        assert_eq!(log.health(), Err("the disk is full".to_owned()));
        let record = NewRecord {
            topic: Topic::Control,
            partition: 0,
            key: Arc::default(),
            record_type: RecordType::Setting,
            timestamp_us: 0,
            traceparent: None,
            value: Vec::new(),
        };
        let refused = crate::contract::wait(log.append(vec![record.clone()])).unwrap_err();
        assert!(refused.retryable);
        log.set_down(None);
        crate::contract::wait(log.append(vec![record])).unwrap();
    }
}
