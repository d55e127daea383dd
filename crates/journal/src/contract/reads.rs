//! What must hold of reads and of the durable end.

use std::{thread, time::Duration};

use super::harness::{LIMIT, Likeness, Seed, Subject, assert_refused, record, wait};
use crate::{ReadLimit, Topic};

/// A read returns at most what was asked for, at least one record, and where to go on.
pub fn reads_keep_to_their_limits(subject: &Subject, _: &Seed) {
    let records: Vec<_> = (0..30).map(|n| record(0, &"x".repeat(100 + n))).collect();
    subject.append(&records);
    let all = subject.read_all(Topic::Journal, 0);
    for limit in [
        ReadLimit { records: 1, bytes: 1 << 20 },
        ReadLimit { records: 7, bytes: 1 << 20 },
        ReadLimit { records: 100, bytes: 500 },
        ReadLimit { records: 0, bytes: 0 },
        ReadLimit { records: 100, bytes: 1 },
    ] {
        let mut next = 0;
        let mut read = Vec::new();
        while read.len() < all.len() {
            let before = read.len();
            let after = subject.read(Topic::Journal, 0, next, limit, &mut read);
            let taken = &read[before..];
            let bytes: usize = taken.iter().map(|record| record.key.len() + record.value.len()).sum();
            assert!(!taken.is_empty(), "{limit:?}: at least one");
            assert!(taken.len() <= limit.records.max(1), "{limit:?}: {} records", taken.len());
            assert!(taken.len() == 1 || bytes <= limit.bytes, "{limit:?}: {bytes} bytes");
            assert_eq!(after, taken.last().map_or(next, |record| record.offset + 1), "{limit:?}: where to go on");
            next = after;
        }
        assert!(read.iter().map(Likeness::of).eq(all.iter().map(Likeness::of)), "{limit:?}");
    }
}

/// A read can begin at any offset.
pub fn reads_begin_anywhere(subject: &Subject, _: &Seed) {
    for n in 0..20 {
        subject.append(&(0..n % 4 + 1).map(|m| record(1, &format!("{n}/{m}"))).collect::<Vec<_>>());
    }
    let all = subject.read_all(Topic::Journal, 1);
    for (from, expected) in all.iter().enumerate() {
        let mut read = Vec::new();
        let one = ReadLimit { records: 1, bytes: 0 };
        let next = subject.read(Topic::Journal, 1, from as u64, one, &mut read);
        assert_eq!(next, from as u64 + 1);
        assert_eq!(Likeness::of(&read[0]), Likeness::of(expected));
        assert_eq!((read[0].offset, read[0].position), (expected.offset, expected.position));
    }
}

/// At and past the end there is nothing, and what the caller had stays.
pub fn reads_end_at_the_durable_end(subject: &Subject, _: &Seed) {
    subject.append(&[record(0, "x")]);
    let end = *subject.log.durable_end(Topic::Journal, 0).borrow();
    let mut read = subject.read_all(Topic::Journal, 0);
    let before = read.len();
    for from in [end, end + 1, u64::MAX] {
        assert_eq!(subject.read(Topic::Journal, 0, from, LIMIT, &mut read), from);
        assert_eq!(read.len(), before);
    }
    let missing = subject.log.identity().partitions;
    loop {
        match subject.log.read(Topic::Journal, missing, 0, LIMIT, &mut read) {
            Err(error) if subject.faulty && error.retryable => {}
            answer => break assert_refused(&answer.expect_err("there is no such partition")),
        }
    }
    assert_eq!(*subject.log.durable_end(Topic::Journal, missing).borrow(), 0);
}

/// Whoever has an acknowledgement finds the record below the durable end, which never falls.
pub fn the_durable_end_covers_what_is_acknowledged(subject: &Subject, _: &Seed) {
    let watched = subject.log.durable_end(Topic::Journal, 0);
    let mut last = *watched.borrow();
    for n in 0..50 {
        let position = subject.append(&[record(0, &format!("{n}"))])[0];
        let end = *watched.borrow();
        assert!(end > position.offset, "acknowledged {position}, durable end {end}");
        assert!(end >= last, "the durable end fell from {last} to {end}");
        assert_eq!(*subject.log.durable_end(Topic::Journal, 0).borrow(), end);
        last = end;
    }
}

/// Waiting for the durable end to rise ends when it does.
pub fn whoever_waits_learns_of_a_rise(subject: &Subject, _: &Seed) {
    let mut watched = subject.log.durable_end(Topic::Decisions, 1);
    watched.borrow_and_update();
    thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            wait(watched.changed()).expect("the log is open");
            *watched.borrow_and_update()
        });
        thread::sleep(Duration::from_millis(5));
        subject.append(&[crate::NewRecord { topic: Topic::Decisions, ..record(1, "x") }]);
        assert!(waiting.join().expect("no panic") > 1);
    });
}
