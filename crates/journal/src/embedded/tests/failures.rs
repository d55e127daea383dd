//! Failed writes and syncs.

use super::*;
use crate::contract::{Seed, wait};

#[test]
fn a_full_disk_is_survived() {
    let disk = SimulatedDisk::new(1);
    let log = simulated(&disk);
    wait(log.append(vec![record(Topic::Journal, 0, "before")])).unwrap();
    disk.set_full(true);
    let failed = wait(log.append(vec![record(Topic::Journal, 0, "while full")])).unwrap_err();
    assert!(failed.retryable && failed.outcome == Outcome::Unknown, "{failed:?}");
    for _ in 0..50 {
        let refused = wait(log.append(vec![record(Topic::Journal, 0, "refused")])).unwrap_err();
        assert!(refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
    }
    assert!(log.health().unwrap_err().contains("no space left"), "{:?}", log.health());
    assert_eq!(bodies(&log, Topic::Journal, 0), ["before"], "reads go on");
    disk.set_full(false);
    eventually("the log resumes by itself", || log.health().is_ok());
    wait(log.append(vec![record(Topic::Journal, 0, "after")])).unwrap();
    let found = bodies(&log, Topic::Journal, 0);
    assert!(found == ["before", "after"] || found == ["before", "while full", "after"], "{found:?}");
    assert_eq!(log.stats().failures, 1);
}

#[test]
fn a_group_that_waited_behind_a_failed_one_is_refused() {
    let disk = SimulatedDisk::new(1);
    let log = simulated(&disk);
    disk.set_gate(false);
    let first = log.append(vec![record(Topic::Journal, 0, "first")]);
    thread::sleep(std::time::Duration::from_millis(20));
    let behind: Vec<_> = (0..5).map(|n| log.append(vec![record(Topic::Journal, 0, &format!("{n}"))])).collect();
    disk.fail_at_times(1.0);
    disk.set_gate(true);
    assert_eq!(wait(first).unwrap_err().outcome, Outcome::Unknown);
    for appending in behind {
        assert_eq!(wait(appending).unwrap_err().outcome, Outcome::NotStored);
    }
}

/// Nothing acknowledged is lost and the durable end never falls, whatever fails whenever.
#[test]
fn seeded_failures_lose_nothing() {
    let seed = Seed::new("seeded_failures_lose_nothing");
    // At once, as they mostly wait for the log to resume.
    thread::scope(|scope| {
        for round in 0..30 {
            let seed = seed.value.wrapping_add(round);
            scope.spawn(move || fail_at_times(seed));
        }
    });
}

fn fail_at_times(seed: u64) {
    let disk = SimulatedDisk::new(seed);
    let log = simulated(&disk);
    disk.fail_at_times(0.15);
    let mut highest = 1;
    let mut acknowledged = Vec::new();
    for n in 0..40 {
        let body = format!("{n}");
        match wait(log.append(vec![record(Topic::Journal, 0, &body), record(Topic::Decisions, 0, &body)])) {
            Ok(positions) => acknowledged.push((positions[0].offset, body)),
            Err(error) => {
                assert!(error.retryable);
                eventually("the log resumes", || log.health().is_ok());
            }
        }
        let end = *log.durable_end(Topic::Journal, 0).borrow();
        assert!(end >= highest, "the durable end fell from {highest} to {end}");
        highest = end;
    }
    assert!(log.stats().failures > 0);
    let found = bodies(&log, Topic::Journal, 0);
    for (offset, body) in &acknowledged {
        assert_eq!(found.get(usize::try_from(offset - 1).unwrap()), Some(body), "acknowledged at {offset}");
    }
    assert_eq!(found, bodies(&log, Topic::Decisions, 0), "both topics or neither");
}

/// A disk that lost what was acknowledged can't be mended by trying again.
#[test]
fn a_lost_acknowledgement_is_never_glossed_over() {
    let disk = SimulatedDisk::new(1);
    let log = simulated(&disk);
    wait(log.append(vec![record(Topic::Journal, 2, "acknowledged")])).unwrap();
    disk.set_full(true);
    wait(log.append(vec![record(Topic::Journal, 0, "fails")])).unwrap_err();
    disk.lose(2);
    disk.set_full(false);
    eventually("the loss is noticed", || log.health().is_err_and(|why| why.contains("acknowledged")));
    let refused = wait(log.append(vec![record(Topic::Journal, 0, "refused")])).unwrap_err();
    assert!(!refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
    assert_eq!(*log.durable_end(Topic::Journal, 2).borrow(), 2, "the durable end doesn't fall even then");
}

/// A storage that panics leaves nobody waiting.
#[test]
fn a_panic_is_a_failed_write() {
    struct Panicking(SimulatedDisk);
    impl Storage for Panicking {
        fn commit(&self, chunks: Vec<Chunk>) -> Result<(), LogError> {
            assert!(chunks.len() != 1, "a panic on purpose");
            self.0.commit(chunks)
        }
        fn reopen(&self) -> Result<(), LogError> {
            self.0.reopen()
        }
        fn last_offset(&self, slot: usize) -> Result<Option<u64>, LogError> {
            self.0.last_offset(slot)
        }
        fn scan(&self, slot: usize, from_offset: u64, visit: storage::Visit<'_>) -> Result<(), LogError> {
            self.0.scan(slot, from_offset, visit)
        }
    }
    let disk = Panicking(SimulatedDisk::new(1));
    let log = EmbeddedLog::start(Path::new("simulated"), &config(), Arc::new(disk), None).unwrap();
    let failed = wait(log.append(vec![record(Topic::Journal, 0, "alone")])).unwrap_err();
    assert_eq!(failed.outcome, Outcome::Unknown);
    eventually("the log resumes", || log.health().is_ok());
    wait(log.append(vec![record(Topic::Journal, 0, "a"), record(Topic::Decisions, 0, "b")])).unwrap();
}
