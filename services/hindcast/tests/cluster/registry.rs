//! Whoever has the registry reads the topics; and when it is lost for good, the logs explain themselves.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use apache_avro::{Schema, from_value, reader::datum::GenericDatumReader};
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, RecordType, Topic, kafka::bare};
use hindcast_replay_tools::{refold, verify_decisions};
use hindcast_test_services::{Temporary, registry_url};
use http::{Method, StatusCode};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use serde_json::{Value, json};

use crate::{
    support::{Http, judge::read_all, runtime, signal, trade, with},
    system::{Services, System},
};

const ROLES: [&str; 4] = ["admin", "ingress-1", "projector-1", "confidence-1"];
const EVENTS: usize = 40;
/// A new key works everywhere after that.
const KEYS_ARE_KNOWN: Duration = Duration::from_secs(2);
/// Ten a second.
const PATIENCE_POLLS: usize = 300;

async fn write(system: &System, key: &str) {
    let (ingress, confidence) = (system.http("ingress-1"), system.http("confidence-1"));
    let items: Vec<_> = (0..EVENTS).map(|_| with(trade("ES", 1.0), json!({"type": "trade"}))).collect();
    let answer = ingress.post("/v1/events", key, &items.into()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = confidence.post("/v1/confidence", key, &signal("ES")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

fn restart(system: &mut System) {
    for role in ROLES {
        system.stop(role);
        system.start(role);
    }
}

/// A client library, the registry's URL and Avro are enough: what has a value is framed as Confluent's tools have it.
#[test]
fn stock_consumers_read_the_topics() {
    let services = Services::shared();
    let (brokers, registry) = (services.kafka.clone(), Http::new(&services.registry));
    let mut system = System::new(services);
    ROLES.into_iter().for_each(|role| system.start(role));
    let runtime = runtime();
    let key = runtime.block_on(system.http("admin").trader("archivist"));
    std::thread::sleep(KEYS_ARE_KNOWN);
    runtime.block_on(async {
        write(&system, &key).await;
        let ingress = system.http("ingress-1");
        let trade = ingress.post("/v1/trades", &key, &trade("ES", 2.5)).await.json();
        let void = format!("/v1/trades/{}/void", trade["event_id"].as_str().unwrap());
        let answer = ingress.post(&void, &key, &json!({"position": trade["position"]})).await;
        assert!(answer.status.is_success(), "{answer:?}");
    });
    system.stop_all();

    let mut schemas = BTreeMap::new();
    let mut read = BTreeMap::<String, usize>::new();
    for topic in [Topic::Journal, Topic::Decisions] {
        for framed in values_of(&brokers, &bare::topic_name(&system.log_config(), topic)) {
            let (magic, rest) = framed.split_first().unwrap();
            let (id, mut datum) = rest.split_first_chunk::<4>().unwrap();
            assert_eq!(*magic, 0, "{framed:?}");
            let schema = schemas.entry(*id).or_insert_with(|| {
                let path = format!("/schemas/ids/{}", u32::from_be_bytes(*id));
                let known = runtime.block_on(registry.try_send(Method::GET, &path, None, &[], "")).unwrap();
                Schema::parse_str(known.json()["schema"].as_str().unwrap()).unwrap()
            });
            let value = GenericDatumReader::builder(schema).build().unwrap().read_value(&mut datum).unwrap();
            assert!(datum.is_empty(), "{value:?}");
            let avro_name = schema.name().unwrap().to_string();
            let fields: Value = from_value(&value).unwrap();
            let signal = fields.get("signal").unwrap_or(&fields);
            assert_eq!((&signal["user_id"], &signal["symbol"]), (&json!("archivist"), &json!("ES")), "{fields}");
            *read.entry(avro_name.rsplit('.').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    let expected = [("DecisionMade", 1), ("SignalReceived", 1), ("TradeClosed", EVENTS + 1), ("TradeVoided", 1)];
    assert_eq!(read, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

/// All values of a topic, read by a consumer that is told nothing but its name.
fn values_of(brokers: &str, topic: &str) -> Vec<Vec<u8>> {
    let settings = [("bootstrap.servers", brokers), ("group.id", "stock"), ("enable.auto.commit", "false")];
    let settings: ClientConfig = settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let consumer: BaseConsumer = settings.create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let (mut list, mut left) = (TopicPartitionList::new(), 0);
    for partition in metadata.topics()[0].partitions() {
        list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        left += consumer.fetch_watermarks(topic, partition.id(), Duration::from_secs(10)).unwrap().1;
    }
    consumer.assign(&list).unwrap();
    let (mut values, since) = (Vec::new(), Instant::now());
    while left > 0 {
        assert!(since.elapsed() < Duration::from_secs(30), "{left} records of {topic} did not come");
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        // Deserializers pass over what has no value.
        values.extend(message.unwrap().payload().map(<[u8]>::to_vec));
        left -= 1;
    }
    values
}

#[test]
fn logs_are_read_and_written_on_after_the_registrys_database_is_lost() {
    let mut registry = Temporary::registry().unwrap();
    let name = registry.nodes()[0].name().to_owned();
    let url = registry_url(&registry.nodes()[0]);
    let mut system = System::new(Services { registry: url, ..Services::shared() });
    ROLES.into_iter().for_each(|role| system.start(role));
    let runtime = runtime();
    let key = runtime.block_on(system.http("admin").trader("archivist"));
    std::thread::sleep(KEYS_ARE_KNOWN);
    runtime.block_on(write(&system, &key));

    // With no registry at all, and then with one that knows nothing.
    registry.node(&name).unwrap().lose_data().unwrap();
    restart(&mut system);
    runtime.block_on(write(&system, &key));
    registry.node(&name).unwrap().start().unwrap();
    restart(&mut system);
    runtime.block_on(async {
        write(&system, &key).await;
        let mut view = Value::Null;
        for _ in 0..PATIENCE_POLLS {
            view = system.http("confidence-1").get("/v1/views/ES", &key).await.json();
            if view["signals"] == 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!((&view["trades"], &view["signals"]), (&json!(3 * EVENTS), &json!(3)), "{view}");
    });
    system.stop_all();

    let (log, codec, views) = system.open(&runtime);
    let mut events = 0;
    for partition in 0..log.identity().partitions {
        let records = read_all(&*log, Topic::Journal, partition);
        for record in records.iter().filter(|record| record.record_type != RecordType::Genesis) {
            codec.decode_event(&record.value).unwrap();
            events += 1;
        }
    }
    assert_eq!(events, 3 * (EVENTS + 1));
    let comparison =
        runtime.block_on(refold(&*log, &codec, &GenerationSet::default()).unwrap().compare(&views)).unwrap();
    assert!(comparison.is_same(), "{:?}", comparison.differences);
    let verified = verify_decisions(&*log, &codec).unwrap();
    assert!(verified.is_same() && verified.decisions() == 3, "{:?}", verified.findings);
    registry.stop().unwrap();
}
