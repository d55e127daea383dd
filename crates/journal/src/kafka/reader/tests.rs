//! A reader against the client library's own mock of a cluster.

use std::sync::Arc;

use rdkafka::{
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _},
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use super::*;
use crate::kafka::{
    KafkaLogConfig,
    client::{self, Fetching, Reports},
    health::Health,
};

const PLACE: (Topic, u16) = (Topic::Journal, 0);
const RECORDS: u64 = 3;

struct Setup {
    cluster: MockCluster<'static, DefaultProducerContext>,
    reader: Reader,
}

/// A partition with a few records.
fn setup() -> Setup {
    let cluster = MockCluster::new(1).unwrap();
    let config = KafkaLogConfig { brokers: cluster.bootstrap_servers(), ..KafkaLogConfig::default() };
    let topics = TopicNames::new(&config.topic_prefix);
    cluster.create_topic(topics.name(PLACE.0), 1, 1).unwrap();
    let common = client::common(&config).unwrap();
    let producer: BaseProducer = common.create().unwrap();
    for _ in 0..RECORDS {
        producer.send(BaseRecord::to(topics.name(PLACE.0)).partition(0).key("user").payload("body")).unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();
    let fetching = Fetching { buffer_bytes: 1 << 20, fetch_bytes: 1 << 16, wait_ms: 50 };
    let reports = Reports::new(Arc::new(Health::new(1)));
    let consumer = client::consumer(&common, &config.topic_prefix, fetching, reports).unwrap();
    Setup { cluster, reader: Reader::new(consumer, topics, 0) }
}

impl Setup {
    fn read(&mut self, from: u64, end: u64, patience: Duration) -> Result<u64, LogError> {
        self.reader.go_to(PLACE, from)?;
        let limit = ReadLimit { records: 10, bytes: 1 << 20 };
        self.reader.read(end, limit, Instant::now() + patience, &mut Vec::new())
    }
}

#[test]
fn what_a_leader_denies_for_a_moment_is_read_nevertheless() {
    let mut setup = setup();
    setup.cluster.request_errors(RDKafkaApiKey::Fetch, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE]);
    assert_eq!(setup.read(1, RECORDS, Duration::from_secs(20)).unwrap(), RECORDS);
}

#[test]
fn what_is_missing_is_never_passed_over() {
    let missing = setup().read(RECORDS + 1, RECORDS + 2, Duration::from_secs(2)).unwrap_err();
    assert!(!missing.retryable && missing.detail.contains("records from 4 on are missing"), "{missing:?}");
}
