//! What the tests share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use hindcast_journal::{
    Log, LogError, NewRecord, ReadLimit, Record, RecordType, Topic,
    contract::wait,
    kafka::{KafkaLog, KafkaLogConfig, KafkaOpenError},
};
use hindcast_test_services::{Node, State, Temporary, shared};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};

pub(crate) const LIMIT: ReadLimit = ReadLimit { records: 1_000, bytes: 1 << 20 };

/// Brokers of a test's own. One test has any at a time: each broker takes much of the machine.
pub(crate) struct OwnKafka {
    pub(crate) services: Temporary,
    _alone: MutexGuard<'static, ()>,
}

impl OwnKafka {
    pub(crate) fn start(start: impl FnOnce() -> Result<Temporary, hindcast_test_services::Error>) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { services: start().unwrap_or_else(|error| panic!("{error}")), _alone: alone }
    }

    pub(crate) fn of_nodes(nodes: u16) -> Self {
        Self::start(|| Temporary::kafka(nodes))
    }

    pub(crate) fn node(&mut self, name: &str) -> &mut Node {
        self.services.node(name).unwrap()
    }

    /// Returns once it hangs.
    pub(crate) fn pause(&mut self, name: &str) {
        self.node(name).pause().unwrap();
        eventually("it hangs", || self.node(name).state() == State::Paused);
    }
}

/// A log of its own for a test: topics with a prefix that nobody else uses.
pub(crate) fn config() -> KafkaLogConfig {
    config_at(shared::kafka().unwrap_or_else(|error| panic!("{error}")))
}

pub(crate) fn config_at(brokers: String) -> KafkaLogConfig {
    KafkaLogConfig {
        brokers,
        topic_prefix: format!("test-{}", uuid::Uuid::now_v7()),
        partitions: 3,
        ..KafkaLogConfig::default()
    }
}

pub(crate) fn open(config: &KafkaLogConfig) -> KafkaLog {
    KafkaLog::open(config).unwrap_or_else(|error| panic!("the log can't be opened: {error}"))
}

pub(crate) fn refusal(config: &KafkaLogConfig) -> KafkaOpenError {
    match KafkaLog::open(config) {
        Ok(log) => panic!("opened: {log:?}"),
        Err(refusal) => refusal,
    }
}

pub(crate) fn record(topic: Topic, partition: u16, body: &str) -> NewRecord {
    NewRecord {
        topic,
        partition,
        key: b"user".as_slice().into(),
        record_type: RecordType::Trade,
        timestamp_us: 1_700_000_000_123_456,
        traceparent: None,
        value: body.as_bytes().to_vec(),
    }
}

/// Appends one record to the journal; returns its offset.
pub(crate) fn append(log: &dyn Log, partition: u16, body: &str) -> Result<u64, LogError> {
    wait(log.append(vec![record(Topic::Journal, partition, body)])).map(|positions| positions[0].offset)
}

/// All records of a partition of the journal after the genesis record.
pub(crate) fn read_all(log: &dyn Log, partition: u16) -> Vec<Record> {
    let end = *log.durable_end(Topic::Journal, partition).borrow();
    let (mut records, mut next) = (Vec::new(), 0);
    while next < end {
        next = log.read(Topic::Journal, partition, next, LIMIT, &mut records).unwrap();
    }
    assert!(records.windows(2).all(|pair| pair[0].offset < pair[1].offset), "offsets rise");
    records.into_iter().filter(|record| record.record_type != RecordType::Genesis).collect()
}

pub(crate) fn bodies(log: &dyn Log, partition: u16) -> Vec<String> {
    read_all(log, partition).iter().map(|record| String::from_utf8(record.value.to_vec()).unwrap()).collect()
}

/// Waits for what must come true soon.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if condition() {
            return began.elapsed();
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("did not happen within a minute: {what}");
}

/// A client beside the log's.
pub(crate) fn client(config: &KafkaLogConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &config.brokers).set("message.timeout.ms", "30000");
    client
}

pub(crate) struct Admin(AdminClient<DefaultClientContext>);

impl Admin {
    pub(crate) fn new(config: &KafkaLogConfig) -> Self {
        Self(client(config).create().unwrap())
    }

    /// Makes a topic, with all settings as the log wants them but those given.
    pub(crate) fn create(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let mut all = vec![("retention.ms", "-1"), ("max.message.bytes", "2097152")];
        all.retain(|(key, _)| !settings.iter().any(|(given, _)| given == key));
        let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let new = all.iter().chain(settings).fold(new, |new, (key, value)| new.set(key, value));
        wait(self.0.create_topics(&[new], &AdminOptions::new())).unwrap().remove(0).unwrap();
    }

    /// Removes the records of a partition before an offset.
    pub(crate) fn delete_records(&self, name: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(name, partition, Offset::Offset(before)).unwrap();
        wait(self.0.delete_records(&list, &AdminOptions::new())).unwrap();
    }

    pub(crate) fn delete(&self, name: &str) {
        wait(self.0.delete_topics(&[name], &AdminOptions::new())).unwrap().remove(0).unwrap();
        eventually("the topic is gone", || {
            let metadata = self.0.inner().fetch_metadata(None, Duration::from_secs(5)).unwrap();
            !metadata.topics().iter().any(|topic| topic.name() == name)
        });
    }
}
