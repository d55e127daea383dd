//! What the parts of the log on Kafka share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{KafkaLogConfig, health::Health, pending::Bound};
use crate::{Topic, ends::Ends, layout::Layout};

/// What the parts of the log on Kafka share.
pub(super) struct Shared {
    pub(super) layout: Layout,
    pub(super) topics: TopicNames,
    pub(super) health: Arc<Health>,
    pub(super) ends: Ends,
    pub(super) heard_of: HeardOf,
    pub(super) acknowledged: Acknowledged,
    pub(super) bound: Bound,
    pub(super) counters: Counters,
}

/// When the end of each slot was last told by its leader.
pub(super) struct HeardOf {
    began: Instant,
    at_ms: Vec<AtomicU64>,
}

/// One past the last record of each slot that was acknowledged to this process.
pub(super) struct Acknowledged(Vec<AtomicU64>);

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) records: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) failures: AtomicU64,
}

/// The topics' names on the cluster.
#[derive(Debug, Clone)]
pub(super) struct TopicNames([String; 4]);

impl Shared {
    pub(super) fn new(config: &KafkaLogConfig, health: Arc<Health>) -> Self {
        let layout = Layout::with_partitions(config.partitions);
        let slots = layout.all().count();
        Self {
            layout,
            topics: TopicNames::new(&config.topic_prefix),
            health,
            ends: Ends::new(slots),
            heard_of: HeardOf { began: Instant::now(), at_ms: (0..slots).map(|_| AtomicU64::new(0)).collect() },
            acknowledged: Acknowledged((0..slots).map(|_| AtomicU64::new(0)).collect()),
            bound: Bound::new(config.max_queued_records, config.max_queued_bytes),
            counters: Counters::default(),
        }
    }

    /// The slot of a partition of the cluster, if it is ours.
    pub(super) fn slot_of(&self, topic: &str, partition: i32) -> Option<usize> {
        self.layout.slot(self.topics.topic(topic)?, u16::try_from(partition).ok()?)
    }
}

impl HeardOf {
    /// A leader told just now.
    pub(super) fn note(&self, slot: usize) {
        if let Some(at_ms) = self.at_ms.get(slot) {
            at_ms.fetch_max(self.now_ms(), Relaxed);
        }
    }

    /// How old the knowledge is.
    pub(super) fn age(&self, slot: usize) -> Duration {
        let at_ms = self.at_ms.get(slot).map_or(0, |at_ms| at_ms.load(Relaxed));
        Duration::from_millis(self.now_ms().saturating_sub(at_ms))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Acknowledged {
    /// Takes note of an acknowledgement. False if something at or behind its place was acknowledged before: then the
    /// partition is not the one it was.
    pub(super) fn rise(&self, slot: usize, end: u64) -> bool {
        self.0.get(slot).is_none_or(|acknowledged| acknowledged.fetch_max(end, Relaxed) < end)
    }

    pub(super) fn get(&self, slot: usize) -> u64 {
        self.0.get(slot).map_or(0, |acknowledged| acknowledged.load(Relaxed))
    }
}

impl TopicNames {
    pub(super) fn new(prefix: &str) -> Self {
        // What follows "hindcast." in the usual name follows the prefix in this one.
        Self(Topic::ALL.map(|topic| {
            let suffix = topic.name().split_once('.').map_or(topic.name(), |(_, suffix)| suffix);
            format!("{prefix}.{suffix}")
        }))
    }

    pub(super) fn name(&self, topic: Topic) -> &str {
        let found = Topic::ALL.iter().position(|&other| other == topic).and_then(|at| self.0.get(at));
        found.map_or(topic.name(), String::as_str)
    }

    pub(super) fn topic(&self, name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|&topic| self.name(topic) == name)
    }
}
