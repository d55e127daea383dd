//! Brokers that die, hang and come back; each test has brokers of its own.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use hindcast_journal::{
    Log, LogError, Outcome, Topic,
    kafka::{KafkaLog, KafkaLogConfig},
};

use crate::support::{LIMIT, OwnKafka, append, bodies, config_at, eventually, open};

/// The delivery time-out, and how long after it an answer may come.
const TIMEOUT: Duration = Duration::from_secs(2);
const SLACK: Duration = Duration::from_secs(4);

fn config(kafka: &OwnKafka) -> KafkaLogConfig {
    KafkaLogConfig { delivery_timeout_ms: 2_000, ..config_at(kafka.services.addresses()) }
}

/// An append that has to fail, in bounded time, and can be repeated.
fn fails(log: &KafkaLog, body: &str) -> LogError {
    let began = Instant::now();
    let error = append(log, 0, body).unwrap_err();
    assert!(began.elapsed() < TIMEOUT + SLACK, "{:?}", began.elapsed());
    assert!(error.retryable, "{error:?}");
    error
}

/// The broker is down already, one way or another.
fn refuses_until_it_is_back(log: &KafkaLog, back: impl FnOnce()) {
    let first = fails(log, "while down");
    eventually("the log knows", || log.health().is_err());
    let began = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(fails(log, "refused").outcome, Outcome::NotStored);
    }
    assert!(began.elapsed() < TIMEOUT, "refused at once: {:?}", began.elapsed());
    assert_eq!(log.stats().queued_records, 0);
    eventually("who stands at the end learns that he is cut off", || {
        let end = *log.durable_end(Topic::Journal, 1).borrow();
        log.read(Topic::Journal, 1, end, LIMIT, &mut Vec::new()).is_err_and(|error| error.retryable)
    });
    back();
    eventually("the log is well again", || log.health().is_ok());
    eventually("appends are taken again", || append(log, 0, "after").is_ok());
    let found = bodies(log, 0);
    assert_eq!(found.iter().filter(|body| *body == "before").count(), 100, "nothing acknowledged is lost");
    assert!(!found.contains(&"refused".to_owned()));
    let while_down = found.iter().filter(|body| *body == "while down").count();
    assert!(while_down <= usize::from(first.outcome == Outcome::Unknown), "{first:?}");
}

#[test]
fn a_killed_broker_is_noticed_and_so_is_its_return() {
    let mut kafka = OwnKafka::of_nodes(1);
    let log = open(&config(&kafka));
    for _ in 0..100 {
        append(&log, 0, "before").unwrap();
    }
    kafka.node("kafka-1").kill().unwrap();
    refuses_until_it_is_back(&log, || kafka.node("kafka-1").start().unwrap());
}

#[test]
fn a_hung_broker_is_noticed_and_so_is_its_return() {
    let mut kafka = OwnKafka::of_nodes(1);
    let log = open(&config(&kafka));
    for _ in 0..100 {
        append(&log, 0, "before").unwrap();
    }
    kafka.pause("kafka-1");
    refuses_until_it_is_back(&log, || kafka.node("kafka-1").resume().unwrap());
}

#[test]
fn closing_takes_bounded_time_whatever_the_broker_does() {
    let mut kafka = OwnKafka::of_nodes(1);
    let (hung, dead) = (open(&config(&kafka)), open(&config(&kafka)));
    for log in [&hung, &dead] {
        append(log, 0, "before").unwrap();
        assert!(bodies(log, 0).contains(&"before".to_owned()), "it has a reader");
    }
    kafka.pause("kafka-1");
    let waiting = hung.append(vec![crate::support::record(Topic::Journal, 0, "waiting")]);
    let began = Instant::now();
    drop(hung);
    assert!(began.elapsed() < 2 * (TIMEOUT + SLACK), "{:?}", began.elapsed());
    assert_eq!(hindcast_journal::contract::wait(waiting).unwrap_err().outcome, Outcome::Unknown);
    kafka.node("kafka-1").kill().unwrap();
    let began = Instant::now();
    drop(dead);
    assert!(began.elapsed() < TIMEOUT + SLACK, "{:?}", began.elapsed());
}

/// Of three brokers one is killed, then another hangs after the first is back, while many write.
#[test]
fn one_of_three_brokers_may_die() {
    let mut kafka = OwnKafka::of_nodes(3);
    let log = open(&KafkaLogConfig { replication_factor: 3, min_insync_replicas: 2, ..config(&kafka) });
    let (done, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let acknowledged: BTreeMap<(u16, u64), String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u16)
            .map(|writer| {
                let (log, done, count) = (&log, &done, &count);
                scope.spawn(move || {
                    let mut acknowledged = Vec::new();
                    for n in 0.. {
                        if done.load(SeqCst) {
                            break;
                        }
                        let (partition, body) = (n % 3, format!("{writer} {n}"));
                        match append(log, partition, &body) {
                            Ok(offset) => {
                                acknowledged.push(((partition, offset), body));
                                count.fetch_add(1, SeqCst);
                            }
                            Err(error) => {
                                assert!(error.retryable, "{error:?}");
                                thread::sleep(Duration::from_millis(10));
                            }
                        }
                        thread::sleep(Duration::from_millis(1));
                    }
                    acknowledged
                })
            })
            .collect();
        let more = |what: &str| {
            let before = count.load(SeqCst);
            println!("{what}: {:?}", eventually(what, || count.load(SeqCst) > before + 1_000));
        };
        more("writing begins");
        kafka.node("kafka-1").kill().unwrap();
        more("writing goes on without a broker");
        kafka.node("kafka-1").start().unwrap();
        more("writing goes on with the broker back");
        kafka.pause("kafka-2");
        more("writing goes on beside a hung broker");
        kafka.node("kafka-2").resume().unwrap();
        more("writing goes on with the broker awake");
        done.store(true, SeqCst);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    eventually("all is well", || log.health().is_ok());
    for partition in 0..3 {
        let found: BTreeMap<_, _> = crate::support::read_all(&log, partition)
            .into_iter()
            .map(|record| (record.offset, String::from_utf8(record.value.to_vec()).unwrap()))
            .collect();
        for ((_, offset), body) in acknowledged.range((partition, 0)..=(partition, u64::MAX)) {
            assert_eq!(found.get(offset), Some(body), "acknowledged at {partition} {offset}");
        }
    }
}

/// The brokers are well, and the log's topic is not the one it was.
#[test]
fn a_topic_made_anew_under_a_running_log_is_noticed() {
    let config = KafkaLogConfig { delivery_timeout_ms: 2_000, ..crate::support::config() };
    let log = open(&config);
    for _ in 0..10 {
        append(&log, 0, "before").unwrap();
    }
    let (name, admin) = (format!("{}.journal", config.topic_prefix), crate::support::Admin::new(&config));
    admin.delete(&name);
    admin.create(&name, 3, &[]);
    let end = *log.durable_end(Topic::Journal, 0).borrow();
    eventually("the log refuses for good", || append(&log, 0, "after").is_err_and(|error| !error.retryable));
    assert!(log.health().is_err_and(|why| why.contains("made anew")), "{:?}", log.health());
    assert_eq!(*log.durable_end(Topic::Journal, 0).borrow(), end, "the end does not fall even then");
}
