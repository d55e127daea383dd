//! What the settings of topics must be.

use crate::{
    Topic,
    kafka::{KafkaLogConfig, client::MAX_MESSAGE_BYTES},
};

const DEAD_LETTERS_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// What a setting of a topic must be.
pub(super) struct Requirement {
    /// The setting's name.
    pub(super) key: &'static str,
    /// What new topics get.
    pub(super) value: String,
    /// Whether what a topic has will do, given `value`.
    pub(super) check: fn(&str, &str) -> bool,
    /// What to do if it won't.
    pub(super) advice: &'static str,
}

/// What the settings of a topic must be.
pub(super) fn requirements(topic: Topic, config: &KafkaLogConfig) -> Vec<Requirement> {
    const FOR_EVER: &str = "records must never expire: set it with kafka-configs.sh --alter";
    let exactly: fn(&str, &str) -> bool = |has, needs| has == needs;
    let at_least: fn(&str, &str) -> bool =
        |has, needs| matches!((has.parse::<i64>(), needs.parse()), (Ok(has), Ok(needs)) if has >= needs);
    let at_least_or_for_ever: fn(&str, &str) -> bool =
        |has, needs| has == "-1" || matches!((has.parse::<i64>(), needs.parse()), (Ok(has), Ok(needs)) if has >= needs);
    let retention_ms = if topic == Topic::DeadLetters { DEAD_LETTERS_MS } else { -1 };
    vec![
        Requirement {
            key: "cleanup.policy",
            value: "delete".to_owned(),
            check: exactly,
            advice: "compaction removes records; if it has run, restore the log from an archive to a new topic",
        },
        Requirement {
            key: "retention.ms",
            value: retention_ms.to_string(),
            check: if topic == Topic::DeadLetters { at_least_or_for_ever } else { exactly },
            advice: FOR_EVER,
        },
        Requirement { key: "retention.bytes", value: "-1".to_owned(), check: exactly, advice: FOR_EVER },
        Requirement {
            key: "min.insync.replicas",
            value: config.min_insync_replicas.to_string(),
            check: at_least,
            advice: "set it with kafka-configs.sh --alter, or correct `min_insync_replicas`",
        },
        Requirement {
            key: "unclean.leader.election.enable",
            value: "false".to_owned(),
            check: exactly,
            advice: "an unclean leader loses acknowledged records: set it with kafka-configs.sh --alter",
        },
        Requirement {
            key: "max.message.bytes",
            value: MAX_MESSAGE_BYTES.to_owned(),
            check: at_least,
            advice: "larger records would be refused: set it with kafka-configs.sh --alter",
        },
    ]
}
