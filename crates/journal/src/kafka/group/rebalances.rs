//! What the group decides, and what is told to it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult},
    statistics::Statistics,
    types::RDKafkaRespErr,
};

use super::settled::Settled;
use crate::{kafka::client::log, membership::Ownership};

/// Takes what the group decides; called from within polls of the consumer.
pub(super) struct Rebalances {
    topic: String,
    ownership: Arc<dyn Ownership>,
    owned: Mutex<BTreeSet<u16>>,
    settled: Mutex<Settled>,
    /// Another client has taken over.
    is_over: AtomicBool,
}

impl ClientContext for Rebalances {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the consumer group's client reports");
    }

    fn stats(&self, statistics: Statistics) {
        if let Some(group) = statistics.cgrp {
            let lost_for = lock(&self.settled).told(&group, Instant::now());
            if let Some(seconds) = lost_for.map(|lost_for| lost_for.as_secs()) {
                let (state, join_state) = (group.state, group.join_state);
                tracing::error!(seconds, state, join_state, "this process has no place in its consumer group");
            }
        }
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions = self.partitions_of(list);
        if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.assign(consumer, list, &partitions);
        } else {
            self.unassign(consumer, list, &partitions);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            // Only the tools that show the lag go by it.
            tracing::debug!(%error, "how far partitions are folded was not committed");
        }
    }
}

impl Rebalances {
    pub(super) fn new(topic: String, ownership: Arc<dyn Ownership>, session_timeout: Duration) -> Self {
        let settled = Mutex::new(Settled::new(session_timeout));
        Self { topic, ownership, owned: Mutex::default(), settled, is_over: AtomicBool::new(false) }
    }

    /// Gives up all at once what is owned, and takes nothing any more: another client takes over.
    pub(super) fn lose_all(&self) {
        self.is_over.store(true, SeqCst);
        let owned: Vec<u16> = std::mem::take(&mut *lock(&self.owned)).into_iter().collect();
        if !owned.is_empty() {
            self.ownership.lost(&owned);
        }
    }

    fn partitions_of(&self, list: &TopicPartitionList) -> Vec<u16> {
        let ours = list.elements_for_topic(&self.topic);
        let mut partitions: Vec<_> =
            ours.iter().filter_map(|element| u16::try_from(element.partition()).ok()).collect();
        partitions.sort_unstable();
        partitions
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList, partitions: &[u16]) {
        let assigned = list
            .set_all_offsets(Offset::End)
            .and_then(|()| consumer.incremental_assign(list))
            .and_then(|()| consumer.pause(list));
        if let Err(error) = assigned {
            tracing::error!(%error, ?partitions, "partitions could not be taken over");
            return;
        }
        if !partitions.is_empty() && !self.is_over.load(SeqCst) {
            tracing::info!(?partitions, "partitions were assigned");
            lock(&self.owned).extend(partitions);
            self.ownership.assigned(partitions);
        }
    }

    fn unassign(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList, partitions: &[u16]) {
        let owned: Vec<_> = {
            let mut owned = lock(&self.owned);
            partitions.iter().copied().filter(|partition| owned.remove(partition)).collect()
        };
        if !owned.is_empty() {
            if consumer.assignment_lost() {
                tracing::warn!(partitions = ?owned, "partitions were lost to other members");
                self.ownership.lost(&owned);
            } else {
                tracing::info!(partitions = ?owned, "partitions are revoked");
                let folded = self.ownership.revoked(&owned);
                self.commit_of(consumer, folded, |partition| owned.contains(&partition));
            }
        }
        if let Err(error) = consumer.incremental_unassign(list) {
            tracing::error!(%error, ?partitions, "partitions could not be given up");
        }
    }

    /// Commits how far owned partitions are folded.
    pub(super) fn commit(&self, consumer: &BaseConsumer<Self>, folded: Vec<(u16, u64)>) {
        let owned = lock(&self.owned).clone();
        self.commit_of(consumer, folded, |partition| owned.contains(&partition));
    }

    /// Without waiting: the request is sent before any that gives partitions up.
    fn commit_of(&self, consumer: &BaseConsumer<Self>, folded: Vec<(u16, u64)>, which: impl Fn(u16) -> bool) {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in folded.into_iter().filter(|(partition, _)| which(*partition)) {
            let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
            if let Err(error) = list.add_partition_offset(&self.topic, i32::from(partition), offset) {
                tracing::debug!(%error, partition, "a partition can't be committed");
            }
        }
        if list.count() > 0
            && let Err(error) = consumer.commit(&list, CommitMode::Async)
        {
            tracing::debug!(%error, "how far partitions are folded was not committed");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
