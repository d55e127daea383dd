//! What becomes of records that were sent.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use rdkafka::{
    ClientContext, Message,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

use super::{
    client::{Reports, log},
    pending::Delivery,
    shared::Shared,
};
use crate::{LogError, Outcome};

/// Takes the deliveries of a producer; called on its polling thread only, so that those of a partition come in order.
pub(super) struct Deliveries {
    pub(super) shared: Arc<Shared>,
    pub(super) reports: Reports,
}

/// What follows from a failed delivery for the appends after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Nothing: it was this record's own fault.
    None,
    /// The partition is refused until a look finds it ready.
    PartitionDown,
    /// The producer has to be made anew.
    ProducerFailed,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.shared.health.producer_failed(&format!("the producer failed: {reason}"));
        }
        self.reports.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let Delivery { pending, nth, bytes } = *delivery;
        self.shared.bound.release(1, bytes);
        let Some(place) = pending.place(nth) else { return };
        let error = match result {
            Ok(message) => match self.acknowledge(place.slot, message, bytes) {
                Ok(offset) => return pending.delivered(nth, offset, &self.shared.ends),
                Err(error) => error,
            },
            Err((error, message)) => {
                let (error, consequence) = failure(error, message.topic(), message.partition());
                match consequence {
                    Consequence::None => {}
                    Consequence::PartitionDown => self.shared.health.slot_down(place.slot, &error.detail),
                    Consequence::ProducerFailed => self.shared.health.producer_failed(&error.detail),
                }
                error
            }
        };
        self.shared.counters.failures.fetch_add(1, Relaxed);
        pending.failed(error, &self.shared.ends);
    }
}

impl Deliveries {
    fn acknowledge(&self, slot: usize, message: &impl Message, bytes: usize) -> Result<u64, LogError> {
        let Ok(offset) = u64::try_from(message.offset()) else {
            // The broker had it already from an earlier try, and no longer knows where.
            return Err(LogError::unknown("the record is stored, but the broker did not tell where"));
        };
        let shared = &self.shared;
        if !shared.acknowledged.rise(slot, offset + 1) {
            let (topic, partition) = (message.topic(), message.partition());
            shared.health.log_lost(format!(
                "{topic}, partition {partition}: a record was stored at {offset}, where others were acknowledged \
                 before: the topic was made anew or lost records; stop, and restore it from an archive"
            ));
            return Err(LogError::unknown(format!("{topic}, partition {partition}: the log is not what it was")));
        }
        shared.counters.records.fetch_add(1, Relaxed);
        shared.counters.bytes.fetch_add(bytes as u64, Relaxed);
        Ok(offset)
    }
}

/// Tells errors apart: can it be tried again, did it happen, and what now?
///
/// The library does not tell a record that timed out while waiting from one that was sent and not answered, so that a
/// time-out is always "unknown". Once a partition is known to be down its appends are refused before they are sent:
/// these surely did not happen.
pub(super) fn failure(error: &KafkaError, topic: &str, partition: i32) -> (LogError, Consequence) {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
    let (retryable, outcome, consequence) = match code {
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::InvalidRecord | Code::InvalidTimestamp => {
            (false, Outcome::NotStored, Consequence::None)
        }
        Code::QueueFull => (true, Outcome::NotStored, Consequence::None),
        Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicOrPartition
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed => (true, Outcome::NotStored, Consequence::PartitionDown),
        Code::Fatal | Code::OutOfOrderSequenceNumber | Code::InvalidProducerEpoch | Code::UnknownProducerId => {
            (true, Outcome::Unknown, Consequence::ProducerFailed)
        }
        // Dropped because the producer is being closed or made anew.
        Code::PurgeQueue | Code::PurgeInflight => (true, Outcome::Unknown, Consequence::None),
        _ => (true, Outcome::Unknown, Consequence::PartitionDown),
    };
    let detail = match code {
        Code::MessageTimedOut => format!("{topic}, partition {partition}: not acknowledged in time"),
        _ => format!("{topic}, partition {partition}: {error}"),
    };
    (LogError { retryable, outcome, detail }, consequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart() {
        use RDKafkaErrorCode as Code;
        let cases = [
            (Code::MessageTimedOut, true, Outcome::Unknown, Consequence::PartitionDown),
            (Code::NotEnoughReplicasAfterAppend, true, Outcome::Unknown, Consequence::PartitionDown),
            (Code::MessageSizeTooLarge, false, Outcome::NotStored, Consequence::None),
            (Code::QueueFull, true, Outcome::NotStored, Consequence::None),
            (Code::TopicAuthorizationFailed, true, Outcome::NotStored, Consequence::PartitionDown),
            (Code::Fatal, true, Outcome::Unknown, Consequence::ProducerFailed),
            (Code::PurgeInflight, true, Outcome::Unknown, Consequence::None),
        ];
        for (code, retryable, outcome, expected) in cases {
            let (error, consequence) = failure(&KafkaError::MessageProduction(code), "t", 3);
            assert_eq!((error.retryable, error.outcome, consequence), (retryable, outcome, expected), "{code:?}");
            assert!(error.detail.starts_with("t, partition 3: "), "{error}");
        }
    }
}
