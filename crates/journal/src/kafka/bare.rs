//! What a program without this adapter needs to do the same with the client library alone, for benchmarks and tests that
//! compare the two.

use rdkafka::{ClientConfig, message::OwnedHeaders};

use super::{KafkaLogConfig, KafkaOpenError, client, record, shared::TopicNames};
use crate::{NewRecord, Topic};

/// How brokers are spoken to: addresses, security, time-outs. What is for producers or consumers alone is left as the
/// library has it.
///
/// # Errors
/// When a setting is out of range or the password can't be read.
pub fn settings(config: &KafkaLogConfig) -> Result<ClientConfig, KafkaOpenError> {
    config.check()?;
    client::common(config)
}

/// A topic's name on the cluster.
#[must_use]
pub fn topic_name(config: &KafkaLogConfig, topic: Topic) -> String {
    TopicNames::new(&config.topic_prefix).name(topic).to_owned()
}

/// The headers that a new record gets.
#[must_use]
pub fn headers(record: &NewRecord) -> OwnedHeaders {
    record::headers(record, None)
}
