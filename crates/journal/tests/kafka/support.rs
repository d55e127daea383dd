//! What the tests share.

use hindcast_journal::kafka::{KafkaLog, KafkaLogConfig};

/// The Kafka that tests run against; fails if there is none.
pub(crate) fn brokers() -> String {
    std::env::var("HINDCAST_TEST_KAFKA").unwrap_or_else(|_| {
        panic!(
            "HINDCAST_TEST_KAFKA is not set: it names the brokers of a Kafka to test against. `cargo xtask services up` \
             starts one and says what to set"
        )
    })
}

/// A log of its own for a test: topics with a prefix that nobody else uses.
pub(crate) fn config() -> KafkaLogConfig {
    KafkaLogConfig {
        brokers: brokers(),
        topic_prefix: format!("test-{}", uuid::Uuid::now_v7()),
        partitions: 3,
        ..KafkaLogConfig::default()
    }
}

pub(crate) fn open(config: &KafkaLogConfig) -> KafkaLog {
    KafkaLog::open(config).unwrap_or_else(|error| panic!("the log can't be opened: {error}"))
}
