//! Membership in a consumer group of Kafka.
//!
//! The group's consumer reads nothing: its partitions stay paused, as records are read through the log. It is there to
//! share partitions, cooperatively (who keeps a partition goes on folding it meanwhile), and to commit how far they
//! are folded, so that the usual tools show the lag.

mod rebalances;
mod settled;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaResult,
};
use rebalances::Rebalances;
use serde::{Deserialize, Serialize};

use super::{KafkaLogConfig, KafkaOpenError, client, closing::close_apart, shared::TopicNames};
use crate::{
    LogError, Topic,
    membership::{Joined, Membership, Ownership},
};

/// The longest that nothing is looked at while there is nothing to do; leaving takes that long.
const POLL: Duration = Duration::from_millis(100);
/// The pause before a client that failed for good is made anew.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a client tells how it stands in its group, in milliseconds.
const TOLD_EVERY_MS: &str = "5000";
/// How long others wait, at most, for a member that has to give partitions up, and a member for the answer that it has
/// joined. The library's default of five minutes is for members who fold within their polls.
const REBALANCE: Duration = Duration::from_secs(60);
/// The longest that leaving may take: what is folded is written first.
const LEAVING: Duration = Duration::from_secs(25);

/// Settings of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaGroupConfig {
    /// The group's name. Members of one name share the partitions.
    pub id: String,
    /// A member that was not heard of for so long loses its partitions to others, in milliseconds. Brokers take 6,000
    /// to 1,800,000 by default.
    pub session_timeout_ms: u64,
    /// How often it is committed how far partitions are folded, in milliseconds.
    pub commit_interval_ms: u64,
}

impl Default for KafkaGroupConfig {
    fn default() -> Self {
        Self { id: "hindcast-projector".to_owned(), session_timeout_ms: 10_000, commit_interval_ms: 5_000 }
    }
}

/// Membership in a consumer group of the journal.
pub struct KafkaMembership {
    settings: ClientConfig,
    topic: String,
    session_timeout: Duration,
    commit_interval: Duration,
}

impl KafkaGroupConfig {
    /// What is wrong with the settings, if something is: keys and bounds.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let is_bad = self.id.is_empty() || self.session_timeout_ms < 1_000 || self.commit_interval_ms < 100;
        is_bad.then_some(
            "a group needs an id, session_timeout_ms of at least 1000 and commit_interval_ms of at least 100",
        )
    }
}

impl KafkaMembership {
    /// Prepares membership; nothing is asked of the brokers yet.
    ///
    /// # Errors
    /// When a setting is out of range or the password can't be read.
    pub fn new(log: &KafkaLogConfig, group: &KafkaGroupConfig) -> Result<Self, KafkaOpenError> {
        log.check()?;
        if let Some(fault) = group.fault() {
            return Err(KafkaOpenError::Setting(fault));
        }
        let session_timeout = Duration::from_millis(group.session_timeout_ms);
        let mut settings = client::common(log)?;
        settings
            .set("group.id", &group.id)
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", group.session_timeout_ms.to_string())
            .set("max.poll.interval.ms", REBALANCE.max(session_timeout).as_millis().to_string())
            .set("heartbeat.interval.ms", (group.session_timeout_ms / 4).to_string())
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "latest")
            .set("statistics.interval.ms", TOLD_EVERY_MS)
            // Of the little that is fetched before a partition is paused nothing is wanted.
            .set("queued.min.messages", "1")
            .set("fetch.message.max.bytes", "1024");
        let topic = TopicNames::new(&log.topic_prefix).name(Topic::Journal).to_owned();
        Ok(Self { settings, topic, session_timeout, commit_interval: Duration::from_millis(group.commit_interval_ms) })
    }
}

impl Membership for KafkaMembership {
    fn join(self: Box<Self>, ownership: Arc<dyn Ownership>) -> Result<Joined, LogError> {
        let leaving = Arc::new(AtomicBool::new(false));
        let mut member = Member { membership: *self, ownership, leaving: Arc::clone(&leaving) };
        let first = member.consumer().map_err(|error| LogError::not_stored(error.to_string()))?;
        let thread = thread::Builder::new()
            .name("kafka-group".to_owned())
            .spawn(move || member.run(first))
            .map_err(|error| LogError::not_stored(format!("no thread for the consumer group: {error}")))?;
        Ok(Joined::new(Leave { leaving, thread: Some(thread) }))
    }
}

struct Leave {
    leaving: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.leaving.store(true, SeqCst);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the consumer group's thread had panicked");
        }
    }
}

/// The member's thread.
struct Member {
    membership: KafkaMembership,
    ownership: Arc<dyn Ownership>,
    leaving: Arc<AtomicBool>,
}

impl Member {
    fn consumer(&mut self) -> KafkaResult<BaseConsumer<Rebalances>> {
        let KafkaMembership { settings, topic, session_timeout, .. } = &self.membership;
        let rebalances = Rebalances::new(topic.clone(), Arc::clone(&self.ownership), *session_timeout);
        let consumer: BaseConsumer<Rebalances> = settings.create_with_context(rebalances)?;
        consumer.subscribe(&[topic.as_str()])?;
        Ok(consumer)
    }

    fn run(mut self, first: BaseConsumer<Rebalances>) {
        let mut next = Some(first);
        while !self.leaving.load(SeqCst) {
            match next.take().map_or_else(|| self.consumer(), Ok) {
                Ok(consumer) => match self.be_member(&consumer) {
                    Ended::Leaving => leave(consumer),
                    Ended::Failed(why) => {
                        tracing::error!(why, "membership in the consumer group failed; joining anew");
                        // What the old client is told from now on concerns nobody.
                        consumer.context().lose_all();
                        drop(close_apart(consumer));
                    }
                },
                Err(error) => tracing::error!(%error, "the consumer group's client could not be made; trying again"),
            }
            if !self.leaving.load(SeqCst) {
                thread::sleep(PAUSE);
            }
        }
    }

    /// Until it is to leave, or the client is beyond use.
    fn be_member(&self, consumer: &BaseConsumer<Rebalances>) -> Ended {
        let mut committed = Instant::now();
        while !self.leaving.load(SeqCst) {
            match consumer.poll(POLL) {
                Some(Err(error)) if consumer.client().fatal_error().is_some() => {
                    return Ended::Failed(error.to_string());
                }
                Some(Err(error)) => tracing::debug!(%error, "membership in the consumer group goes on"),
                Some(Ok(_)) | None => {}
            }
            if committed.elapsed() > self.membership.commit_interval {
                consumer.context().commit(consumer, self.ownership.progress());
                committed = Instant::now();
            }
        }
        Ended::Leaving
    }
}

/// Why membership by a client ended.
enum Ended {
    Leaving,
    Failed(String),
}

/// Closing the consumer leaves the group; what it owns is revoked, and so written.
fn leave(consumer: BaseConsumer<Rebalances>) {
    if !close_apart(consumer).within(LEAVING) {
        tracing::error!("the consumer group could not be left in order; its members wait until the session ends");
    }
}

#[cfg(test)]
mod tests;
