//! Makes missing topics, and refuses those that would lose or damage the log.

mod requirement;

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
        TopicReplication,
    },
    consumer::Consumer as _,
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
    types::RDKafkaRespErr,
};

use requirement::{Requirement, requirements};

use super::{
    KafkaLogConfig, KafkaOpenError,
    client::{Consumer, Reports},
    shared::TopicNames,
};
use crate::{Topic, layout::Layout, wait::wait};

/// Looks after the topics while the log is opened.
pub(super) struct Topics<'a> {
    config: &'a KafkaLogConfig,
    names: &'a TopicNames,
    consumer: &'a Consumer,
    admin: AdminClient<Reports>,
    reports: Reports,
    deadline: Instant,
}

impl<'a> Topics<'a> {
    pub(super) fn new(
        config: &'a KafkaLogConfig,
        names: &'a TopicNames,
        consumer: &'a Consumer,
        common: &ClientConfig,
        reports: Reports,
        deadline: Instant,
    ) -> Result<Self, KafkaOpenError> {
        let admin =
            common.create_with_context(reports.clone()).map_err(|error| KafkaOpenError::Client(error.to_string()))?;
        Ok(Self { config, names, consumer, admin, reports, deadline })
    }

    /// Makes what is missing, waits until it is ready, and checks everything.
    pub(super) fn prepare(&self) -> Result<(), KafkaOpenError> {
        let mut missing = Vec::new();
        for topic in Topic::ALL {
            if !self.exists(topic)? {
                missing.push(topic);
            }
        }
        if !missing.is_empty() {
            self.create(&missing)?;
        }
        for topic in Topic::ALL {
            self.wait_until_ready(topic)?;
        }
        self.check_settings()
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    fn unreachable(&self, doing: &str, error: &KafkaError) -> KafkaOpenError {
        // The library tells the consequence; the cause comes with its events.
        for _ in 0..100 {
            if self.reports.last_error().is_none() {
                drop(self.consumer.poll(Duration::from_millis(1)));
            }
        }
        let cause = self.reports.last_error().map(|reason| format!(" ({reason})")).unwrap_or_default();
        KafkaOpenError::Unreachable { brokers: self.config.brokers.clone(), detail: format!("{doing}: {error}{cause}") }
    }

    /// Looks at a topic until the answer is final.
    fn look<T>(
        &self,
        topic: Topic,
        mut judge: impl FnMut(&MetadataTopic) -> Option<Result<T, KafkaOpenError>>,
    ) -> Result<T, KafkaOpenError> {
        let name = self.names.name(topic);
        loop {
            let metadata = self
                .consumer
                .fetch_metadata(Some(name), self.left())
                .map_err(|error| self.unreachable("asking for topics", &error))?;
            if let Some(judged) = metadata.topics().iter().find(|found| found.name() == name).and_then(&mut judge) {
                return judged;
            }
            if Instant::now() >= self.deadline {
                return Err(KafkaOpenError::Unreachable {
                    brokers: self.config.brokers.clone(),
                    detail: format!("some partitions of {name} have no leader: see whether all brokers are up"),
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn exists(&self, topic: Topic) -> Result<bool, KafkaOpenError> {
        self.look(topic, |found| match found.error() {
            None => Some(Ok(true)),
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => Some(Ok(false)),
            Some(
                error @ (RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION),
            ) => Some(Err(self
                .unreachable(&format!("asking for topic {}", found.name()), &KafkaError::MetadataFetch(error.into())))),
            Some(_) => None,
        })
    }

    fn wait_until_ready(&self, topic: Topic) -> Result<(), KafkaOpenError> {
        let partitions = usize::from(Layout::with_partitions(self.config.partitions).partitions_of(topic));
        let replicas = usize::from(self.config.replication_factor);
        self.look(topic, |found| {
            if found.error().is_some() || found.partitions().is_empty() {
                // It was made a moment ago.
                return None;
            }
            if found.partitions().len() != partitions {
                return Some(Err(KafkaOpenError::Topic {
                    topic: found.name().to_owned(),
                    has: format!("{} partitions", found.partitions().len()),
                    needs: partitions.to_string(),
                    advice: "the number is fixed when a log is made; correct `partitions`, or use another topic_prefix",
                }));
            }
            if let Some(few) = found.partitions().iter().find(|partition| partition.replicas().len() < replicas) {
                return Some(Err(KafkaOpenError::Topic {
                    topic: found.name().to_owned(),
                    has: format!("replication factor {}", few.replicas().len()),
                    needs: format!("at least {replicas}"),
                    advice: "raise it with kafka-reassign-partitions.sh, or correct `replication_factor`",
                }));
            }
            found.partitions().iter().all(|partition| partition.leader() >= 0).then_some(Ok(()))
        })
    }

    fn create(&self, missing: &[Topic]) -> Result<(), KafkaOpenError> {
        let layout = Layout::with_partitions(self.config.partitions);
        let requirements: Vec<_> = missing.iter().map(|&topic| (topic, requirements(topic, self.config))).collect();
        if let (false, Some((topic, requirements))) = (self.config.create_topics, requirements.first()) {
            let settings: Vec<_> = requirements.iter().map(|need| format!("{}={}", need.key, need.value)).collect();
            return Err(KafkaOpenError::NoTopic {
                topic: self.names.name(*topic).to_owned(),
                needs: format!(
                    "{} partitions, replication factor {}, {}",
                    layout.partitions_of(*topic),
                    self.config.replication_factor,
                    settings.join(", ")
                ),
            });
        }
        let new: Vec<_> = requirements
            .iter()
            .map(|(topic, requirements)| {
                let replication = TopicReplication::Fixed(i32::from(self.config.replication_factor));
                let new = NewTopic::new(self.names.name(*topic), i32::from(layout.partitions_of(*topic)), replication);
                requirements.iter().fold(new, |new, need| new.set(need.key, &need.value))
            })
            .collect();
        let options = AdminOptions::new().request_timeout(Some(self.left())).operation_timeout(Some(self.left()));
        let results = wait(self.admin.create_topics(&new, &options))
            .map_err(|error| self.unreachable("making topics", &error))?;
        for result in results {
            match result {
                // Another process may be opening the log at the same time.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, error)) => return Err(KafkaOpenError::NotMade { topic, detail: error.to_string() }),
            }
        }
        tracing::info!(topics = ?new.iter().map(|topic| topic.name).collect::<Vec<_>>(), "made topics");
        Ok(())
    }

    fn check_settings(&self) -> Result<(), KafkaOpenError> {
        let asked = Topic::ALL.map(|topic| ResourceSpecifier::Topic(self.names.name(topic)));
        loop {
            let options = AdminOptions::new().request_timeout(Some(self.left()));
            let answers = wait(self.admin.describe_configs(&asked, &options))
                .map_err(|error| self.unreachable("asking for the settings of topics", &error))?;
            let answers: Vec<_> = answers.into_iter().flatten().collect();
            let found = Topic::ALL.map(|topic| {
                let name = self.names.name(topic);
                let is_its = |answer: &&ConfigResource| {
                    matches!(&answer.specifier, OwnedResourceSpecifier::Topic(found) if found == name)
                };
                answers.iter().find(is_its).filter(|answer| !answer.entries.is_empty()).map(|answer| (topic, answer))
            });
            if found.iter().all(Option::is_some) {
                return found.into_iter().flatten().try_for_each(|(topic, found)| {
                    requirements(topic, self.config).iter().try_for_each(|need| self.check_setting(topic, found, need))
                });
            }
            // The broker that was asked has not yet heard of topics that were made a moment ago.
            if Instant::now() >= self.deadline {
                return Err(KafkaOpenError::Unreachable {
                    brokers: self.config.brokers.clone(),
                    detail: "the settings of topics can't be seen: this program needs the right to describe their \
                             configuration"
                        .to_owned(),
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn check_setting(&self, topic: Topic, found: &ConfigResource, need: &Requirement) -> Result<(), KafkaOpenError> {
        let has = found.get(need.key).and_then(|entry| entry.value.as_deref()).unwrap_or("nothing");
        if (need.check)(has, &need.value) {
            return Ok(());
        }
        Err(KafkaOpenError::Topic {
            topic: self.names.name(topic).to_owned(),
            has: format!("{}={has}", need.key),
            needs: need.value.clone(),
            advice: need.advice,
        })
    }
}
