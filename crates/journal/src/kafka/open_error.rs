//! Why the log on Kafka could not be opened.

use std::path::PathBuf;

use crate::LogError;

/// Why the log could not be opened; the text is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum KafkaOpenError {
    /// A setting is out of range.
    #[error("log on Kafka: {0}")]
    Setting(&'static str),
    /// The file with the password can't be read.
    #[error("{}: can't read the password for Kafka: {source}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The client library did not take its settings.
    #[error("the Kafka client could not be made: {0}")]
    Client(String),
    /// No broker answered, or not as it should.
    #[error(
        "Kafka at {brokers} does not answer as it should ({detail}); start it, or name its brokers in log.kafka.brokers"
    )]
    Unreachable {
        /// Whom we tried.
        brokers: String,
        /// What was tried, and what came of it.
        detail: String,
    },
    /// A topic is not there and may not be made.
    #[error("topic {topic} does not exist and create_topics is off: make it with {needs}")]
    NoTopic {
        /// The topic.
        topic: String,
        /// What it has to be like.
        needs: String,
    },
    /// A topic could not be made.
    #[error("topic {topic} could not be made: {detail}")]
    NotMade {
        /// The topic.
        topic: String,
        /// Why not.
        detail: String,
    },
    /// A topic is not as the log needs it.
    #[error("topic {topic} has {has}, and this log needs {needs}: {advice}")]
    Topic {
        /// The topic.
        topic: String,
        /// What it has.
        has: String,
        /// What it needs.
        needs: String,
        /// What to do.
        advice: &'static str,
    },
    /// The partitions of the log don't belong together.
    #[error("topic {topic}, partition {partition}: {detail}")]
    Mixed {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// What doesn't fit, and what to do.
        detail: String,
    },
    /// A partition could not be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A thread could not be started.
    #[error("could not start the log's thread: {0}")]
    Thread(#[from] std::io::Error),
}
