//! What must hold when many write and read at once.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

use hindcast_domain::Position;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::harness::{LIMIT, Likeness, Seed, Subject, record_to};
use crate::{NewRecord, Record, Topic};

const WRITERS: u64 = 6;
const APPENDS: u64 = 40;

/// One writer's appends, over two topics and two partitions; each body names the writer and which of its appends it was.
fn write(subject: &Subject, seed: u64, writer: u64) -> Vec<(NewRecord, Position)> {
    let mut rng = StdRng::seed_from_u64(seed ^ writer);
    let mut acknowledged = Vec::new();
    for sequence in 0..APPENDS {
        let records: Vec<_> = (0..rng.random_range(1..6))
            .map(|nth| {
                let topic = [Topic::Journal, Topic::Decisions][rng.random_range(0..2)];
                let padding = "x".repeat(rng.random_range(0..2_000));
                record_to(topic, rng.random_range(0..2), &format!("{writer} {sequence} {nth} {padding}"))
            })
            .collect();
        let positions = subject.append(&records);
        acknowledged.extend(records.into_iter().zip(positions));
    }
    acknowledged
}

fn writer_and_sequence(record: &Record) -> (u64, u64) {
    let body = std::str::from_utf8(&record.value).expect("text");
    let mut numbers = body.split(' ').map(|word| word.parse().expect("a number"));
    (numbers.next().expect("a writer"), numbers.next().expect("a sequence"))
}

/// Everything acknowledged to any writer is there, at its own place, in the order in which its writer wrote.
pub fn concurrent_appends_keep_their_order(subject: &Subject, seed: &Seed) {
    let acknowledged: Vec<_> = thread::scope(|scope| {
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(subject, seed.value, writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("no panic")).collect()
    });
    for topic in [Topic::Journal, Topic::Decisions] {
        for partition in 0..2 {
            let stored = subject.read_all(topic, partition);
            let mut places = Vec::new();
            for (record, position) in &acknowledged {
                if record.topic == topic && record.partition == partition {
                    subject.check_stored(&stored, record, *position);
                    places.push(position.offset);
                }
            }
            let count = places.len();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), count, "two records were acknowledged at one place");
            assert!(subject.faulty || stored.len() == count + 1, "a record was written twice");
            let mut last = BTreeMap::new();
            for (writer, sequence) in stored.iter().skip(1).map(writer_and_sequence) {
                // A repeated append may stand there twice, but never behind a later one of its writer.
                let last = last.entry(writer).or_insert(0);
                assert!(sequence >= *last, "writer {writer}: {sequence} after {last}");
                *last = sequence;
            }
        }
    }
}

/// Who reads while others write sees, at any moment, the beginning of what is there in the end.
pub fn readers_see_a_growing_prefix(subject: &Subject, seed: &Seed) {
    let done = AtomicBool::new(false);
    let seen: Vec<_> = thread::scope(|scope| {
        let done = &done;
        let readers: Vec<_> = [(Topic::Journal, 0), (Topic::Journal, 1), (Topic::Decisions, 1)]
            .map(|(topic, partition)| scope.spawn(move || (topic, partition, follow(subject, topic, partition, done))))
            .into();
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(subject, seed.value, writer))).collect();
        for writer in writers {
            writer.join().expect("no panic");
        }
        done.store(true, SeqCst);
        readers.into_iter().map(|reader| reader.join().expect("no panic")).collect()
    });
    for (topic, partition, seen) in seen {
        let stored = subject.read_all(topic, partition);
        assert!(
            seen.iter().eq(stored.iter().map(Likeness::of).collect::<Vec<_>>().iter()),
            "{} {partition}",
            topic.name()
        );
    }
}

fn follow(subject: &Subject, topic: Topic, partition: u16, done: &AtomicBool) -> Vec<Likeness> {
    let end = subject.log.durable_end(topic, partition);
    let mut seen = Vec::new();
    let mut next = 0;
    loop {
        let was_done = done.load(SeqCst);
        let mut records = Vec::new();
        let from = next;
        next = subject.read(topic, partition, from, LIMIT, &mut records);
        assert!(next <= *end.borrow(), "read past the durable end");
        for (nth, record) in records.iter().enumerate() {
            assert_eq!(record.offset, from + nth as u64, "a gap or disorder");
        }
        seen.extend(records.iter().map(Likeness::of));
        if was_done && next == *end.borrow() {
            return seen;
        }
        thread::yield_now();
    }
}
