//! Reading and following beside others.

use std::{thread, time::Duration};

use hindcast_domain::Position;
use hindcast_journal::{Log, Outcome, ReadLimit, RecordType, Topic, contract::wait, kafka::KafkaLogConfig};
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::support::{Admin, LIMIT, append, bodies, client, config, eventually, open, read_all, record, refusal};

#[test]
fn an_append_of_another_process_raises_the_end_here() {
    let config = config();
    let (ours, others) = (open(&config), open(&config));
    for n in 0..20_u16 {
        for topic in [Topic::Journal, Topic::Decisions, Topic::Control] {
            let partition = if topic == Topic::Control { 0 } else { n % 3 };
            let mut end = ours.durable_end(topic, partition);
            let position = wait(others.append(vec![record(topic, partition, "x")])).unwrap()[0];
            while *end.borrow_and_update() <= position.offset {
                wait(end.changed()).unwrap();
            }
            let mut read = Vec::new();
            ours.read(topic, partition, position.offset, LIMIT, &mut read).unwrap();
            assert_eq!(read.first().map(|record| record.position), Some(position));
        }
    }
}

/// More than anybody could read one by one: the ends are asked for.
#[test]
fn a_flood_of_another_process_raises_the_end_here() {
    let config = config();
    let (ours, others) = (open(&config), open(&config));
    let appending: Vec<_> =
        (0..40).map(|_| others.append((0..500).map(|n| record(Topic::Journal, n % 3, "flood")).collect())).collect();
    let positions: Vec<_> = appending.into_iter().flat_map(|appending| wait(appending).unwrap()).collect();
    for partition in 0..3 {
        let last = positions.iter().filter(|position| position.partition == partition).map(|position| position.offset);
        let end = last.max().unwrap() + 1;
        eventually("the end is known here", || *ours.durable_end(Topic::Journal, partition).borrow() == end);
    }
    assert_eq!((0..3).map(|partition| read_all(&ours, partition).len()).sum::<usize>(), 20_000);
}

/// Transactions leave marks at offsets of their own: offsets are not dense, and a partition may end in one.
#[test]
fn offsets_with_gaps_are_read_through() {
    let config = config();
    let log = open(&config);
    append(&log, 0, "before").unwrap();
    let topic = format!("{}.journal", config.topic_prefix);
    let producer: BaseProducer = client(&config).set("transactional.id", &config.topic_prefix).create().unwrap();
    producer.init_transactions(Duration::from_secs(30)).unwrap();
    for body in ["first", "second"] {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<(), _>::to(&topic).partition(0).payload(body)).unwrap();
        producer.commit_transaction(Duration::from_secs(30)).unwrap();
    }
    // Genesis, one of ours, and twice a record and a mark.
    eventually("the end is behind the last mark", || *log.durable_end(Topic::Journal, 0).borrow() == 6);
    assert_eq!(bodies(&log, 0), ["before", "first", "second"], "reading comes to the end");
    let mut read = Vec::new();
    assert_eq!(log.read(Topic::Journal, 0, 5, LIMIT, &mut read).unwrap(), 6, "only a mark is there");
    assert!(read.is_empty());
    append(&log, 0, "after").unwrap();
    let offsets: Vec<_> = read_all(&log, 0).iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [1, 2, 4, 6]);
}

#[test]
fn what_others_wrote_is_read_as_well_as_can_be() {
    let config = config();
    let log = open(&config);
    let topic = format!("{}.journal", config.topic_prefix);
    let producer: BaseProducer = client(&config).create().unwrap();
    let restored = OwnedHeaders::new()
        .insert(Header { key: "event-type", value: Some("SignalReceived") })
        .insert(Header { key: "hindcast-position", value: Some("0-1-77") });
    let bare = BaseRecord::<str, str>::to(&topic).partition(1).key("someone").payload("bare").timestamp(1_234);
    let full = BaseRecord::<str, str>::to(&topic).partition(1).payload("restored").headers(restored);
    producer.send(bare).unwrap();
    producer.send(full).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
    eventually("both are known here", || *log.durable_end(Topic::Journal, 1).borrow() == 3);
    let [bare, restored] = &read_all(&log, 1)[..] else { panic!("two records") };
    assert_eq!((bare.record_type, bare.timestamp_us, &bare.key[..]), (RecordType::Unknown, 1_234_000, &b"someone"[..]));
    assert_eq!(bare.position, Position { epoch: 0, partition: 1, offset: 1 });
    assert_eq!((restored.record_type, restored.key.len()), (RecordType::Signal, 0));
    assert_eq!((restored.position, restored.offset), (Position { epoch: 0, partition: 1, offset: 77 }, 2));
}

/// More who read at different places of one partition than there are readers.
#[test]
fn many_read_one_partition_at_different_places() {
    let config = KafkaLogConfig { max_readers: 3, ..config() };
    let log = open(&config);
    let records = (0..3_000).map(|n| record(Topic::Journal, 0, &format!("{n}"))).collect();
    wait(log.append(records)).unwrap();
    thread::scope(|scope| {
        for reader in 0..6_u64 {
            let log = &log;
            scope.spawn(move || {
                let mut next = 1 + reader * 450;
                for _ in 0..20 {
                    let mut records = Vec::new();
                    let from = next;
                    next = log
                        .read(Topic::Journal, 0, from, ReadLimit { records: 7, bytes: 1 << 20 }, &mut records)
                        .unwrap();
                    assert!(!records.is_empty());
                    for (nth, record) in records.iter().enumerate() {
                        assert_eq!(record.offset, from + nth as u64);
                        assert_eq!(record.value, (record.offset - 1).to_string().as_bytes());
                    }
                }
            });
        }
    });
    assert!(log.stats().readers <= 3, "{:?}", log.stats());
}

#[test]
fn what_is_too_much_is_refused_at_once_and_whole() {
    let log = open(&KafkaLogConfig { max_queued_records: 10, ..config() });
    let records = |count| (0..count).map(|n| record(Topic::Journal, n % 3, "x")).collect::<Vec<_>>();
    let refused = wait(log.append(records(11))).unwrap_err();
    assert!(!refused.retryable && refused.outcome == Outcome::NotStored, "never fits: {refused:?}");
    let appending: Vec<_> = (0..50).map(|_| log.append(records(5))).collect();
    let outcomes: Vec<_> = appending.into_iter().map(wait).collect();
    assert!(outcomes.iter().flatten().count() >= 2);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
        assert!(refused.detail.contains("queue is full"), "{refused:?}");
    }
    let stored: usize = (0..3).map(|partition| read_all(&log, partition).len()).sum();
    assert_eq!(stored, outcomes.iter().flatten().count() * 5);

    let mut large = record(Topic::Journal, 0, "");
    large.value = vec![7; 3 << 20];
    let refused = wait(log.append(vec![large])).unwrap_err();
    assert!(!refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
    assert_eq!(log.health(), Ok(()), "one record's fault");
    assert_eq!((log.stats().queued_records, log.stats().queued_bytes), (0, 0));
}

#[test]
fn dead_letters_may_expire_and_nothing_else_may() {
    let config = config();
    let (log, admin) = (open(&config), Admin::new(&config));
    for topic in [Topic::DeadLetters, Topic::Journal] {
        wait(log.append((0..10).map(|n| record(topic, 0, &format!("{n}"))).collect())).unwrap();
        let name = format!("{}.{}", config.topic_prefix, topic.name().trim_start_matches("hindcast."));
        admin.delete_records(&name, 0, 6);
    }
    let mut read = Vec::new();
    assert_eq!(log.read(Topic::DeadLetters, 0, 0, LIMIT, &mut read).unwrap(), 11);
    assert_eq!(read.iter().map(|record| record.offset).collect::<Vec<_>>(), [6, 7, 8, 9, 10]);
    let missing = log.read(Topic::Journal, 0, 0, LIMIT, &mut Vec::new()).unwrap_err();
    assert!(!missing.retryable && missing.detail.contains("records from 0 on are missing"), "{missing:?}");
    drop(log);
    let refusal = refusal(&config).to_string();
    assert!(refusal.contains("journal, partition 0: begins at offset 6"), "{refusal}");
}

#[test]
fn a_log_whose_dead_letters_expired_is_opened() {
    let config = config();
    let log = open(&config);
    wait(log.append(vec![record(Topic::DeadLetters, 0, "a"), record(Topic::Control, 0, "a setting")])).unwrap();
    let name = format!("{}.dead-letters", config.topic_prefix);
    let admin = Admin::new(&config);
    // One has some left, of the other nothing is.
    admin.delete_records(&name, 0, 1);
    admin.delete_records(&name, 1, 1);
    drop(log);
    let log = open(&config);
    let mut read = Vec::new();
    assert_eq!(log.read(Topic::DeadLetters, 1, 0, LIMIT, &mut read).unwrap(), 2);
    assert_eq!(read.iter().map(|record| record.record_type).collect::<Vec<_>>(), [RecordType::Genesis], "a new one");
}
