//! Removes a log from a cluster, for benchmarks and tests.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    error::RDKafkaErrorCode,
};

use super::{KafkaGroupConfig, KafkaLogConfig, KafkaOpenError, client, shared::TopicNames};
use crate::{Topic, wait::wait};

/// Between two tries to remove a group whose last member has left a moment ago.
const PAUSE: Duration = Duration::from_millis(100);

/// Removes a log's topics with all their records, and the consumer group of its projectors. What is not there is no
/// error, so it can be repeated. Whoever has the log open must have dropped it. Blocks, at most the configured time to
/// open.
///
/// For benchmarks and tests, which make logs to throw them away: nothing that serves calls it, and nothing brings the
/// records back.
///
/// # Errors
/// When a setting is out of range, no broker answers, or something can't be removed; the rest is removed nevertheless.
pub fn remove(log: &KafkaLogConfig, group: &KafkaGroupConfig) -> Result<(), KafkaOpenError> {
    log.check()?;
    let removing = Removing {
        admin: client::common(log)?.create().map_err(|error| KafkaOpenError::Client(error.to_string()))?,
        brokers: &log.brokers,
        deadline: Instant::now() + Duration::from_millis(log.open_timeout_ms),
    };
    // The group first: members that are left by mistake would join it again as long as there is a topic.
    let group_removed = removing.group(&group.id);
    removing.topics(&TopicNames::new(&log.topic_prefix))?;
    group_removed
}

struct Removing<'a> {
    admin: AdminClient<DefaultClientContext>,
    brokers: &'a str,
    deadline: Instant,
}

impl Removing<'_> {
    fn options(&self) -> AdminOptions {
        let left = self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        AdminOptions::new().request_timeout(Some(left)).operation_timeout(Some(left))
    }

    fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> KafkaOpenError {
        let detail = format!("{what} could not be removed: {error}");
        KafkaOpenError::Unreachable { brokers: self.brokers.to_owned(), detail }
    }

    fn topics(&self, names: &TopicNames) -> Result<(), KafkaOpenError> {
        let names = Topic::ALL.map(|topic| names.name(topic));
        let results = wait(self.admin.delete_topics(&names, &self.options()));
        let failures = results.map_err(|error| self.failed("topics", &error))?.into_iter().filter_map(Result::err);
        let mut failures = failures.filter(|(_, error)| *error != RDKafkaErrorCode::UnknownTopicOrPartition);
        failures.next().map_or(Ok(()), |(topic, error)| Err(self.failed(&format!("topic {topic}"), &error)))
    }

    fn group(&self, id: &str) -> Result<(), KafkaOpenError> {
        let what = format!("consumer group {id}");
        loop {
            let results = wait(self.admin.delete_groups(&[id], &self.options()));
            let failure = results.map_err(|error| self.failed(&what, &error))?.into_iter().find_map(Result::err);
            match failure {
                None | Some((_, RDKafkaErrorCode::GroupIdNotFound)) => return Ok(()),
                // Members leave without waiting for an answer.
                Some((_, RDKafkaErrorCode::NonEmptyGroup)) if Instant::now() < self.deadline => thread::sleep(PAUSE),
                Some((_, error)) => return Err(self.failed(&what, &error)),
            }
        }
    }
}
