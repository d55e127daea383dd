//! The producer against the client library's own mock of a cluster.

use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use super::*;
use crate::{
    RecordType, Topic,
    kafka::{client, health::Health},
    layout::Layout,
    wait::wait,
};

struct Setup {
    cluster: MockCluster<'static, DefaultProducerContext>,
    shared: Arc<Shared>,
    producer: Producer,
}

fn setup() -> Setup {
    let cluster = MockCluster::new(1).unwrap();
    let config = KafkaLogConfig {
        brokers: cluster.bootstrap_servers(),
        partitions: 2,
        delivery_timeout_ms: 2_000,
        ..KafkaLogConfig::default()
    };
    let health = Arc::new(Health::new(Layout::with_partitions(2).all().count()));
    let shared = Arc::new(Shared::new(&config, Arc::clone(&health)));
    for topic in Topic::ALL {
        let partitions = i32::from(shared.layout.partitions_of(topic));
        cluster.create_topic(shared.topics.name(topic), partitions, 1).unwrap();
    }
    let common = client::common(&config).unwrap();
    let producer = Producer::new(&config, &common, Arc::clone(&shared), Reports::new(health)).unwrap();
    Setup { cluster, shared, producer }
}

impl Setup {
    fn send(&self, partition: u16) -> Answer {
        let record = NewRecord {
            topic: Topic::Journal,
            partition,
            key: Default::default(),
            record_type: RecordType::Trade,
            timestamp_us: 5,
            traceparent: None,
            value: b"body".to_vec(),
        };
        wait(self.producer.send(0, &[record])?).unwrap()
    }

    fn all_ready(&self) {
        self.shared.health.found(&vec![true; self.shared.layout.all().count()]);
    }
}

#[test]
fn a_producer_that_failed_for_good_is_made_anew() {
    let setup = setup();
    let before = setup.send(0).unwrap()[0].offset;
    let out_of_order = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER];
    setup.cluster.request_errors(RDKafkaApiKey::Produce, &out_of_order);
    let failed = setup.send(0).unwrap_err();
    assert!(failed.retryable && failed.outcome == Outcome::Unknown, "{failed:?}");
    assert!(setup.shared.health.has_producer_failed());
    for partition in 0..2 {
        let refused = setup.send(partition).unwrap_err();
        assert!(refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
    }
    setup.producer.remake().unwrap();
    setup.shared.health.producer_remade();
    setup.all_ready();
    assert_eq!(setup.shared.health.check(), Ok(()));
    assert!(setup.send(0).unwrap()[0].offset > before);
    assert_eq!(setup.shared.bound.waiting(), (0, 0));
}

#[test]
fn what_times_out_is_unknown_and_the_partition_is_refused_from_then_on() {
    let setup = setup();
    setup.send(0).unwrap();
    setup.cluster.broker_round_trip_time(1, Duration::from_secs(20)).unwrap();
    let began = Instant::now();
    let failed = setup.send(0).unwrap_err();
    assert!(failed.retryable && failed.outcome == Outcome::Unknown, "{failed:?}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let refused = setup.send(0).unwrap_err();
    assert!(refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
    setup.shared.health.found(&[false, true]);
    assert!(setup.send(0).is_err(), "not ready yet");
    setup.cluster.broker_round_trip_time(1, Duration::ZERO).unwrap();
    setup.all_ready();
    let until = Instant::now() + Duration::from_secs(30);
    while setup.send(0).is_err() {
        assert!(Instant::now() < until, "not taken again");
        setup.all_ready();
    }
}

#[test]
fn a_record_in_the_place_of_another_is_never_acknowledged() {
    let setup = setup();
    setup.send(1).unwrap();
    // As if more had been acknowledged before the topic was made anew.
    let slot = setup.shared.layout.slot(Topic::Journal, 1).unwrap();
    assert!(setup.shared.acknowledged.rise(slot, 100));
    let failed = setup.send(1).unwrap_err();
    assert_eq!(failed.outcome, Outcome::Unknown);
    setup.all_ready();
    let refused = setup.send(0).unwrap_err();
    assert!(!refused.retryable && refused.detail.contains("made anew"), "for good: {refused:?}");
}
