//! Membership in a consumer group.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use hindcast_journal::{
    kafka::{KafkaGroupConfig, KafkaLogConfig, KafkaMembership},
    membership::{Joined, Membership, Ownership},
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{client, config, eventually, open};

/// Events of all members in the order in which they happened.
type Events = Arc<Mutex<Vec<(&'static str, Event)>>>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Assigned(Vec<u16>),
    Revoking(Vec<u16>),
    Revoked(Vec<u16>),
    Lost(Vec<u16>),
}

struct Owner {
    name: &'static str,
    owned: Mutex<BTreeSet<u16>>,
    events: Events,
}

impl Owner {
    fn note(&self, event: Event) {
        self.events.lock().unwrap().push((self.name, event));
    }

    fn owned(&self) -> Vec<u16> {
        self.owned.lock().unwrap().iter().copied().collect()
    }
}

impl Ownership for Owner {
    fn assigned(&self, partitions: &[u16]) {
        self.owned.lock().unwrap().extend(partitions);
        self.note(Event::Assigned(partitions.to_vec()));
    }

    fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)> {
        self.note(Event::Revoking(partitions.to_vec()));
        thread::sleep(Duration::from_millis(300)); // It drains and writes.
        self.owned.lock().unwrap().retain(|partition| !partitions.contains(partition));
        self.note(Event::Revoked(partitions.to_vec()));
        partitions.iter().map(|&partition| (partition, 1_000 + u64::from(partition))).collect()
    }

    fn lost(&self, partitions: &[u16]) {
        self.owned.lock().unwrap().retain(|partition| !partitions.contains(partition));
        self.note(Event::Lost(partitions.to_vec()));
    }

    fn progress(&self) -> Vec<(u16, u64)> {
        self.owned().iter().map(|&partition| (partition, 500 + u64::from(partition))).collect()
    }
}

fn log_config() -> KafkaLogConfig {
    KafkaLogConfig { partitions: 6, ..config() }
}

fn group(log: &KafkaLogConfig) -> KafkaGroupConfig {
    KafkaGroupConfig {
        id: format!("{}.projector", log.topic_prefix),
        session_timeout_ms: 6_000,
        commit_interval_ms: 200,
    }
}

fn join(name: &'static str, log: &KafkaLogConfig, events: &Events) -> (Arc<Owner>, Joined) {
    let owner = Arc::new(Owner { name, owned: Mutex::default(), events: Arc::clone(events) });
    let membership = KafkaMembership::new(log, &group(log)).unwrap();
    let joined = Box::new(membership).join(owner.clone()).unwrap();
    (owner, joined)
}

/// No partition has two owners at any moment.
fn check(events: &Events) {
    let mut owners = [None; 6];
    for (member, event) in events.lock().unwrap().iter() {
        match event {
            Event::Assigned(partitions) => {
                for &partition in partitions {
                    let owner = owners[usize::from(partition)].replace(*member);
                    assert_eq!(owner, None, "{partition} was assigned to {member} too: {events:?}");
                }
            }
            Event::Revoked(partitions) | Event::Lost(partitions) => {
                for &partition in partitions {
                    assert_eq!(owners[usize::from(partition)].take(), Some(*member), "{partition}: {events:?}");
                }
            }
            Event::Revoking(_) => {}
        }
    }
}

fn committed(log: &KafkaLogConfig) -> Vec<Option<i64>> {
    let consumer: BaseConsumer = client(log).set("group.id", group(log).id).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_range(&format!("{}.journal", log.topic_prefix), 0, 5);
    let found = consumer.committed_offsets(list, Duration::from_secs(10)).unwrap();
    let offsets = found.elements();
    offsets
        .iter()
        .map(|element| if let Offset::Offset(offset) = element.offset() { Some(offset) } else { None })
        .collect()
}

#[test]
fn members_share_partitions_and_hand_them_over() {
    let log = log_config();
    drop(open(&log));
    let events = Events::default();
    let (one, joined_one) = join("one", &log, &events);
    eventually("the first owns everything", || one.owned() == [0, 1, 2, 3, 4, 5]);
    eventually("its progress is committed", || committed(&log) == (500..506).map(Some).collect::<Vec<_>>());
    let (two, joined_two) = join("two", &log, &events);
    let both = |one: &Owner, two: &Owner| {
        let mut all = [one.owned(), two.owned()].concat();
        all.sort_unstable();
        all == [0, 1, 2, 3, 4, 5] && one.owned().len() == 3
    };
    eventually("both own a half", || both(&one, &two));
    let kept = one.owned();
    let revoked: Vec<_> =
        events.lock().unwrap().iter().filter(|(_, event)| matches!(event, Event::Revoked(_))).cloned().collect();
    assert_eq!(revoked.len(), 1, "only what moves was revoked: {revoked:?}");
    drop(joined_one);
    assert_eq!(one.owned(), Vec::<u16>::new(), "all is revoked before leaving returns");
    let took = eventually("the second takes over", || two.owned() == [0, 1, 2, 3, 4, 5]);
    assert!(took < Duration::from_secs(5), "at once, without waiting for a time-out: {took:?}");
    for partition in kept {
        assert!(committed(&log)[usize::from(partition)].is_some());
    }
    drop(joined_two);
    eventually("what was revoked last is committed", || {
        committed(&log) == (1_000..1_006).map(Some).collect::<Vec<_>>()
    });
    check(&events);
}

/// Set in the process that is stopped: the prefix of the topics.
const CHILD: &str = "HINDCAST_TEST_MEMBER_OF";

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_stopped_member_loses_its_partitions_and_is_told_when_it_wakes() {
    if let Ok(topic_prefix) = std::env::var(CHILD) {
        return be_a_member(&KafkaLogConfig { topic_prefix, ..log_config() });
    }
    let log = log_config();
    drop(open(&log));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "group::a_stopped_member_loses_its_partitions_and_is_told_when_it_wakes"])
        .env(CHILD, &log.topic_prefix)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let child = Killed(child);
    let pid = Pid::from_child(&child.0);
    let (line, lines) = mpsc::channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
    let told = |what: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if line.contains(what) {
                return line;
            }
        }
        panic!("the member did not tell within a minute: {what}");
    };

    told("assigned [0, 1, 2, 3, 4, 5]");
    kill_process(pid, Signal::STOP).unwrap();
    let events = Events::default();
    let (owner, _joined) = join("other", &log, &events);
    let took = eventually("the other takes over", || owner.owned() == [0, 1, 2, 3, 4, 5]);
    assert!(took > Duration::from_secs(1), "not before the time-out: {took:?}");
    kill_process(pid, Signal::CONT).unwrap();
    told("lost [0, 1, 2, 3, 4, 5]");
    told("assigned");
    eventually("they share", || owner.owned().len() == 3);
    check(&events);
}

/// Tells what happens on standard output, until killed.
fn be_a_member(log: &KafkaLogConfig) {
    let events = Events::default();
    let (_owner, _joined) = join("stopped", log, &events);
    let mut told = 0;
    let until = Instant::now() + Duration::from_secs(120);
    while Instant::now() < until {
        for (_, event) in events.lock().unwrap().iter().skip(told) {
            told += 1;
            match event {
                Event::Assigned(partitions) => println!("assigned {partitions:?}"),
                Event::Lost(partitions) => println!("lost {partitions:?}"),
                Event::Revoking(partitions) | Event::Revoked(partitions) => println!("revoked {partitions:?}"),
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}
