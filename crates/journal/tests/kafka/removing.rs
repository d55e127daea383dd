//! Removing a log that was made to be thrown away.

use std::{sync::Arc, time::Duration};

use hindcast_journal::{
    kafka::{self, KafkaGroupConfig, KafkaLog, KafkaLogConfig, KafkaMembership, KafkaOpenError},
    membership::{Membership, Ownership},
};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};

use crate::support::{append, client, config, eventually, open};

struct Nobody;

impl Ownership for Nobody {
    fn assigned(&self, _: &[u16]) {}

    fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)> {
        partitions.iter().map(|partition| (*partition, 1)).collect()
    }

    fn lost(&self, _: &[u16]) {}

    fn progress(&self) -> Vec<(u16, u64)> {
        Vec::new()
    }
}

fn has_group(client: &ClientConfig, id: &str) -> bool {
    let consumer: BaseConsumer = client.create().unwrap();
    let groups = consumer.fetch_group_list(Some(id), Duration::from_secs(10)).unwrap();
    groups.groups().iter().any(|group| group.name() == id && group.state() != "Dead")
}

#[test]
fn nothing_is_left_of_a_removed_log() {
    let config = config();
    let group = KafkaGroupConfig { id: config.topic_prefix.clone(), ..KafkaGroupConfig::default() };
    let kept = KafkaLogConfig { topic_prefix: format!("{}-kept", config.topic_prefix), ..config.clone() };
    let (log, other) = (open(&config), open(&kept));
    append(&log, 1, "a").unwrap();
    let joined = Box::new(KafkaMembership::new(&config, &group).unwrap()).join(Arc::new(Nobody)).unwrap();
    eventually("the group is there", || has_group(&client(&config), &group.id));
    drop((joined, log));

    kafka::remove(&config, &group).unwrap();
    kafka::remove(&config, &group).unwrap_or_else(|error| panic!("what is gone already is no error: {error}"));
    let absent = KafkaLogConfig { create_topics: false, ..config.clone() };
    eventually("the topics are gone", || matches!(KafkaLog::open(&absent), Err(KafkaOpenError::NoTopic { .. })));
    assert!(!has_group(&client(&config), &group.id));
    // Only its own.
    append(&other, 1, "b").unwrap();
    drop(other);
    kafka::remove(&kept, &group).unwrap();
}
