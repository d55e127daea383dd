//! Asks brokers where partitions begin and end: one request a broker for all partitions.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaError};

use super::{client::Consumer, shared::Shared};
use crate::LogError;

/// Which end of partitions.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    First,
    End,
}

/// The first offset, or one past the last, of slots; of those whose leader answered.
pub(super) fn ask(
    consumer: &Consumer,
    shared: &Shared,
    slots: impl Fn(usize) -> bool,
    side: Side,
    timeout: Duration,
) -> Result<Vec<(usize, u64)>, KafkaError> {
    let offset = match side {
        Side::First => Offset::Beginning,
        Side::End => Offset::End,
    };
    let mut list = TopicPartitionList::new();
    for (slot, (topic, partition)) in shared.layout.all().enumerate() {
        if slots(slot) {
            list.add_partition_offset(shared.topics.name(topic), i32::from(partition), offset)?;
        }
    }
    if list.count() == 0 {
        return Ok(Vec::new());
    }
    let answered = consumer.offsets_for_times(list, timeout)?;
    Ok(answered
        .elements()
        .iter()
        .filter(|element| element.error().is_ok())
        .filter_map(|element| {
            let Offset::Offset(offset) = element.offset() else { return None };
            Some((shared.slot_of(element.topic(), element.partition())?, u64::try_from(offset).ok()?))
        })
        .collect())
}

/// Asks until all of these slots are answered: leaders of new topics are known to brokers one after the other.
pub(super) fn ask_all(
    consumer: &Consumer,
    shared: &Shared,
    slots: impl Fn(usize) -> bool,
    side: Side,
    deadline: Instant,
) -> Result<Vec<(usize, u64)>, LogError> {
    let expected = shared.layout.all().enumerate().filter(|&(slot, _)| slots(slot)).count();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let detail = match ask(consumer, shared, &slots, side, left.max(Duration::from_millis(1))) {
            Ok(offsets) if offsets.len() == expected => return Ok(offsets),
            Ok(_) => "some partitions don't answer".to_owned(),
            Err(error) => error.to_string(),
        };
        if left.is_zero() {
            return Err(LogError::not_stored(format!("Kafka, asking where partitions begin and end: {detail}")));
        }
        thread::sleep(Duration::from_millis(20));
    }
}
