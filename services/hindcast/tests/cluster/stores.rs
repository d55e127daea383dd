//! Brokers and the store die, each on services of the test's own.

use std::{collections::BTreeMap, thread::sleep, time::Duration};

use hindcast_test_services::Temporary;
use rand::{RngExt, rngs::StdRng};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
};

use crate::{
    load::{Load, fault_rounds, seeded},
    support::{runtime, writers::OnFailure},
    system::{Services, System},
};

const PERSISTENT: OnFailure = OnFailure::Repeat(120, Duration::from_millis(250));
/// How long the store is away.
const STORE_AWAY: Duration = Duration::from_secs(20);

/// Which of the brokers leads most partitions of the journal.
fn leader_of_most(kafka: &str, topic: &str) -> i32 {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", kafka).create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let mut led: BTreeMap<i32, usize> = BTreeMap::new();
    for partition in metadata.topics()[0].partitions() {
        *led.entry(partition.leader()).or_default() += 1;
    }
    led.into_iter().max_by_key(|(_, count)| *count).unwrap().0
}

/// Kills one of three brokers again and again; `choose` says which one.
fn kill_brokers(what: &str, choose: impl Fn(&mut StdRng, &str, &str) -> i32) {
    seeded(|mut rng| {
        let mut cluster = Temporary::kafka(3).unwrap();
        let services = Services { kafka: cluster.addresses(), replicas: 3, ..Services::shared() };
        let kafka = services.kafka.clone();
        let mut system = System::whole(services);
        let topic = format!("{}.journal", system.log_config().topic_prefix);
        let load = Load::begin(&system, &mut rng, PERSISTENT);
        for _ in 0..fault_rounds() {
            sleep(Duration::from_millis(rng.random_range(500..2_000)));
            let broker = format!("kafka-{}", choose(&mut rng, &kafka, &topic));
            cluster.node(&broker).unwrap().kill().unwrap();
            sleep(Duration::from_millis(rng.random_range(2_000..5_000)));
            cluster.node(&broker).unwrap().start().unwrap();
        }
        load.end(&mut system, what);
        cluster.stop().unwrap();
    });
}

#[test]
fn one_of_three_brokers_is_killed() {
    kill_brokers("SIGKILL of one of three brokers", |rng, _, _| rng.random_range(1..4));
}

#[test]
fn the_leader_of_most_partitions_is_killed() {
    kill_brokers("SIGKILL of the leader of most partitions", |_, kafka, topic| leader_of_most(kafka, topic));
}

#[test]
fn the_store_is_killed_for_a_while() {
    seeded(|mut rng| {
        let mut store = Temporary::cassandra().unwrap();
        let name = store.nodes()[0].name().to_owned();
        let mut system = System::whole(Services { cql: store.addresses(), ..Services::shared() });
        let load = Load::begin(&system, &mut rng, PERSISTENT);
        for _ in 0..fault_rounds() {
            sleep(Duration::from_millis(rng.random_range(500..2_000)));
            store.node(&name).unwrap().kill().unwrap();
            sleep(STORE_AWAY);
            store.node(&name).unwrap().start().unwrap();
        }
        // Projectors may be back before a process that serves is, which answers from its cache until then.
        runtime().block_on(system.until_healthy());
        // So that what was folded meanwhile is written while clients still write.
        sleep(Duration::from_secs(3));
        load.end(&mut system, "SIGKILL of the store for 20 s");
        store.stop().unwrap();
    });
}
