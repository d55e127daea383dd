//! One consumer, standing somewhere in a partition.

use std::{
    thread,
    time::{Duration, Instant},
};

use hindcast_domain::Position;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::Consumer as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};

use super::{
    client::Consumer,
    record::{self, Batch},
    shared::TopicNames,
};
use crate::{LogError, Outcome, ReadLimit, Record, Topic};

/// How long is waited for more once there is something to return.
const FOR_MORE: Duration = Duration::from_millis(1);
/// How long is waited before it is asked how far the consumer came without records.
const FOR_FIRST: Duration = Duration::from_millis(20);

/// The pause before a leader is asked again that denies a record.
const FOR_LEADER: Duration = Duration::from_millis(50);

/// How long it may take to learn where a partition begins.
const WATERMARKS: Duration = Duration::from_secs(2);

/// A consumer that stands somewhere in a partition.
pub(super) struct Reader {
    consumer: Consumer,
    topics: TopicNames,
    epoch: u8,
    /// The partition, and the offset of the next record to return.
    at: Option<((Topic, u16), u64)>,
    /// Fetched, but more than the last caller wanted.
    left_over: Option<Record>,
    last_used: Instant,
}

impl Reader {
    pub(super) fn new(consumer: Consumer, topics: TopicNames, epoch: u8) -> Self {
        Self { consumer, topics, epoch, at: None, left_over: None, last_used: Instant::now() }
    }

    pub(super) fn stands_at(&self, partition: (Topic, u16), offset: u64) -> bool {
        self.at == Some((partition, offset))
    }

    pub(super) fn last_used(&self) -> Instant {
        self.last_used
    }

    /// Moves elsewhere; what was fetched ahead is dropped.
    pub(super) fn go_to(&mut self, partition: (Topic, u16), offset: u64) -> Result<(), LogError> {
        self.left_over = None;
        self.at = None;
        let start = i64::try_from(offset).unwrap_or(i64::MAX);
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(self.topics.name(partition.0), i32::from(partition.1), Offset::Offset(start))
            .and_then(|()| self.consumer.assign(&list))
            .map_err(|error| self.failed(partition, offset, &error.to_string()))?;
        self.at = Some((partition, offset));
        Ok(())
    }

    /// Reads on from where it stands, knowing that there are durable records up to `end`.
    pub(super) fn read(
        &mut self,
        end: u64,
        limit: ReadLimit,
        deadline: Instant,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        self.last_used = Instant::now();
        let Some((partition, from)) = self.at else {
            return Err(LogError::not_stored("a reader of the log stands nowhere"));
        };
        let before = into.len();
        let read = self.read_from(partition, from, end, limit, deadline, into);
        match read {
            Ok(next) => self.at = Some((partition, next)),
            Err(_) => into.truncate(before),
        }
        read
    }

    fn read_from(
        &mut self,
        partition: (Topic, u16),
        from: u64,
        end: u64,
        limit: ReadLimit,
        deadline: Instant,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        let place = Position { epoch: self.epoch, partition: partition.1, offset: from };
        let mut next = from;
        let mut taken = 0;
        let mut bytes_left = limit.bytes;
        let mut batch = Batch::default();
        if let Some(record) = self.left_over.take() {
            next = record.offset + 1;
            taken = 1;
            bytes_left = bytes_left.saturating_sub(record.key.len() + record.value.len());
            into.push(record);
        }
        while taken == 0 || taken < limit.records {
            let patience = match taken {
                0 => FOR_FIRST,
                _ if next < end => FOR_MORE,
                _ => Duration::ZERO,
            };
            match self.consumer.poll(patience) {
                Some(Ok(message)) => {
                    let Some(offset) = self.offset_of(&message, partition, next) else { continue };
                    let place = Position { offset, ..place };
                    let bytes = message.key_len() + record::body(&message).len();
                    if taken > 0 && bytes > bytes_left {
                        batch.finish(place, into);
                        let mut alone = Vec::with_capacity(1);
                        batch.push(&message, place, &mut alone);
                        batch.finish(place, &mut alone);
                        self.left_over = alone.pop();
                        return Ok(next);
                    }
                    bytes_left = bytes_left.saturating_sub(bytes);
                    batch.push(&message, place, into);
                    next = offset + 1;
                    taken += 1;
                }
                Some(Err(error)) if partition.0 == Topic::DeadLetters && is_gone(&error) => {
                    // The only records that expire; those before the first that is left are not missed.
                    next = self.first_left(partition, next)?;
                    self.go_to(partition, next)?;
                }
                Some(Err(error)) if is_gone(&error) => self.look_for(partition, next, deadline)?,
                Some(Err(error)) => self.tolerate(&error, partition, next)?,
                None if taken > 0 => break,
                None => {
                    // What is not for readers, such as the marks of transactions, moves the consumer on too.
                    next = next.max(self.position(partition));
                    if next >= end {
                        break;
                    }
                    if Instant::now() >= deadline {
                        return Err(self.failed(partition, next, "nothing came in time"));
                    }
                }
            }
        }
        batch.finish(place, into);
        Ok(next)
    }

    /// The offset of a message, if it is one that we are waiting for.
    fn offset_of(&self, message: &BorrowedMessage<'_>, partition: (Topic, u16), next: u64) -> Option<u64> {
        // The library drops what was fetched for an earlier place. A mistake in this would be a wrong record.
        let offset = u64::try_from(message.offset()).ok().filter(|&offset| offset >= next)?;
        let ours = message.partition() == i32::from(partition.1) && message.topic() == self.topics.name(partition.0);
        ours.then_some(offset)
    }

    /// How far the consumer has come.
    fn position(&self, partition: (Topic, u16)) -> u64 {
        let Ok(list) = self.consumer.position() else { return 0 };
        let found = list.find_partition(self.topics.name(partition.0), i32::from(partition.1));
        match found.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => u64::try_from(offset).unwrap_or(0),
            _ => 0,
        }
    }

    fn first_left(&self, partition: (Topic, u16), next: u64) -> Result<u64, LogError> {
        self.first_and_end(partition, next).map(|(first, _)| next.max(first))
    }

    /// Where a partition begins and ends.
    fn first_and_end(&self, partition: (Topic, u16), next: u64) -> Result<(u64, u64), LogError> {
        let offset = |offset| u64::try_from(offset).unwrap_or(0);
        self.consumer
            .fetch_watermarks(self.topics.name(partition.0), i32::from(partition.1), WATERMARKS)
            .map(|(first, end)| (offset(first), offset(end)))
            .map_err(|error| self.failed(partition, next, &error.to_string()))
    }

    /// It was told that the next record is not there. A new leader may say so before it knows how far its predecessor
    /// was; otherwise records are missing, which must not be passed over.
    fn look_for(&mut self, partition: (Topic, u16), next: u64, deadline: Instant) -> Result<(), LogError> {
        loop {
            let (first, end) = self.first_and_end(partition, next)?;
            let is_late = Instant::now() >= deadline;
            if first > next || (end < next && is_late) {
                return Err(LogError {
                    retryable: false,
                    outcome: Outcome::NotStored,
                    detail: format!(
                        "{}, partition {}: records from {next} on are missing, it has {first} to {end}",
                        self.topics.name(partition.0),
                        partition.1
                    ),
                });
            }
            if is_late {
                return Err(self.failed(partition, next, "its leader denies what it has"));
            }
            thread::sleep(FOR_LEADER);
            if end >= next {
                tracing::debug!(topic = self.topics.name(partition.0), partition = partition.1, next, "reading again");
                return self.go_to(partition, next);
            }
        }
    }

    /// Goes on after what the library mends by itself.
    fn tolerate(&self, error: &KafkaError, partition: (Topic, u16), next: u64) -> Result<(), LogError> {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            Some(Code::TopicAuthorizationFailed | Code::UnknownTopicOrPartition | Code::UnknownTopic) => {
                Err(self.failed(partition, next, &error.to_string()))
            }
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                Err(self.failed(partition, next, &error.to_string()))
            }
            _ => {
                tracing::debug!(%error, "reading from Kafka goes on");
                Ok(())
            }
        }
    }

    fn failed(&self, partition: (Topic, u16), offset: u64, detail: &str) -> LogError {
        let topic = self.topics.name(partition.0);
        LogError::not_stored(format!("{topic}, partition {}, from {offset}: can't be read: {detail}", partition.1))
    }
}

/// Whether the records that were asked for are not there any more.
fn is_gone(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange))
}

#[cfg(test)]
mod tests;
