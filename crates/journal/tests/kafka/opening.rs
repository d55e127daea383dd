//! Opening: what is made, what is refused.

use std::{collections::BTreeSet, sync::Barrier, thread, time::Duration};

use hindcast_journal::{
    Log, LogIdentity, Topic,
    contract::wait,
    kafka::{KafkaLogConfig, KafkaOpenError},
};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::{Admin, LIMIT, append, bodies, client, config, open, record, refusal};

#[test]
fn a_log_is_the_same_when_opened_again() {
    let config = config();
    let first = open(&config);
    append(&first, 2, "a").unwrap();
    let identity = first.identity().clone();
    drop(first);
    let again = open(&config);
    assert_eq!((again.identity(), bodies(&again, 2)), (&identity, vec!["a".to_owned()]));
}

#[test]
fn many_that_open_at_once_agree_on_one_identity() {
    let config = config();
    let together = Barrier::new(6);
    let logs: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    open(&config)
                })
            })
            .collect();
        opening.into_iter().map(|opening| opening.join().unwrap()).collect()
    });
    let identities: BTreeSet<_> = logs.iter().map(|log| log.identity().journal_id).collect();
    assert_eq!(identities.len(), 1, "{identities:?}");
    for topic in Topic::ALL {
        for partition in 0..logs[0].identity().partitions_of(topic) {
            let mut records = Vec::new();
            logs[0].read(topic, partition, 0, LIMIT, &mut records).unwrap();
            assert_eq!(LogIdentity::from_genesis(&records[0].value).unwrap(), *logs[0].identity());
        }
    }
}

#[test]
fn topics_that_would_lose_records_are_refused() {
    for (key, value, topic) in [
        ("retention.ms", "604800000", "journal"),
        ("retention.ms", "604800000", "dead-letters"),
        ("retention.bytes", "1000000", "decisions"),
        ("cleanup.policy", "compact", "control"),
        ("unclean.leader.election.enable", "true", "journal"),
        ("max.message.bytes", "1048588", "decisions"),
    ] {
        let config = config();
        let name = format!("{}.{topic}", config.topic_prefix);
        Admin::new(&config).create(&name, if topic == "control" { 1 } else { 3 }, &[(key, value)]);
        let refusal = refusal(&config).to_string();
        for part in [name.as_str(), &format!("has {key}={value}"), "this log needs", "kafka-configs.sh"] {
            let compacted = key == "cleanup.policy" && part == "kafka-configs.sh";
            assert!(compacted || refusal.contains(part), "{part} is not in: {refusal}");
        }
    }
}

#[test]
fn another_number_of_partitions_is_refused() {
    let config = config();
    drop(open(&config));
    let refusal = refusal(&KafkaLogConfig { partitions: 4, ..config });
    let KafkaOpenError::Topic { topic, has, needs, .. } = refusal else { panic!("{refusal}") };
    assert_eq!((has.as_str(), needs.as_str()), ("3 partitions", "4"), "{topic}");
}

#[test]
fn too_few_copies_are_refused() {
    let config = config();
    drop(open(&config));
    let refusal = refusal(&KafkaLogConfig { replication_factor: 3, ..config });
    let KafkaOpenError::Topic { has, needs, .. } = refusal else { panic!("{refusal}") };
    assert_eq!((has.as_str(), needs.as_str()), ("replication factor 1", "at least 3"));
}

#[test]
fn missing_topics_are_refused_if_none_may_be_made() {
    let config = KafkaLogConfig { create_topics: false, ..config() };
    let refusal = refusal(&config).to_string();
    assert!(refusal.contains("3 partitions") && refusal.contains("retention.ms=-1"), "{refusal}");
}

#[test]
fn a_topic_that_was_made_anew_is_refused() {
    for topic in [Topic::Journal, Topic::Decisions, Topic::Control] {
        let config = config();
        let log = open(&config);
        wait(log.append(vec![record(Topic::Control, 0, "a setting"), record(Topic::Journal, 1, "a trade")])).unwrap();
        drop(log);
        let name = format!("{}.{}", config.topic_prefix, topic.name().trim_start_matches("hindcast."));
        Admin::new(&config).delete(&name);
        let refusal = refusal(&config).to_string();
        assert!(refusal.contains("made anew") && refusal.contains(&name), "{refusal}");
    }
}

#[test]
fn a_topic_of_another_log_is_refused() {
    let config = config();
    drop(open(&config));
    let name = format!("{}.decisions", config.topic_prefix);
    let admin = Admin::new(&config);
    admin.delete(&name);
    admin.create(&name, 3, &[]);
    let stranger = LogIdentity { journal_id: uuid::Uuid::now_v7(), epoch: 0, partitions: 3 };
    let producer: BaseProducer = client(&config).create().unwrap();
    let genesis = stranger.to_genesis();
    producer.send(BaseRecord::<(), _>::to(&name).partition(1).payload(&genesis)).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
    let refusal = refusal(&config).to_string();
    for part in [&format!("{name}, partition 1"), &stranger.journal_id.to_string(), "control"] {
        assert!(refusal.contains(part), "{part} is not in: {refusal}");
    }
}

#[test]
fn no_broker_is_a_clear_refusal_in_time() {
    // Port 1 is never listened on.
    let config =
        KafkaLogConfig { brokers: "127.0.0.1:1".to_owned(), open_timeout_ms: 1_500, ..KafkaLogConfig::default() };
    let began = std::time::Instant::now();
    let refusal = refusal(&config).to_string();
    assert!(refusal.contains("127.0.0.1:1") && refusal.contains("refused"), "{refusal}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_asked() {
    let good = KafkaLogConfig { brokers: "127.0.0.1:1".to_owned(), ..KafkaLogConfig::default() };
    for bad in [
        KafkaLogConfig { topic_prefix: "a b".to_owned(), ..good.clone() },
        KafkaLogConfig { partitions: 0, ..good.clone() },
        KafkaLogConfig { min_insync_replicas: 2, ..good.clone() },
        KafkaLogConfig { delivery_timeout_ms: 0, ..good.clone() },
        KafkaLogConfig { max_queued_bytes: usize::MAX, ..good },
    ] {
        let refusal = refusal(&bad);
        assert!(matches!(refusal, KafkaOpenError::Setting(_)), "{bad:?}: {refusal}");
    }
}
