//! Groups, bounds and closing.

use super::*;
use crate::contract::wait;

#[test]
fn what_waits_during_a_sync_becomes_one_group() {
    let disk = SimulatedDisk::new(1);
    let log = simulated(&disk);
    let before = disk.syncs();
    disk.set_gate(false);
    let first = log.append(vec![record(Topic::Journal, 0, "first")]);
    eventually("the first is being synced", || bodies_written(&disk) > 0);
    let waiting: Vec<_> = (0..100_u16)
        .map(|n| {
            log.append(vec![
                record(Topic::Journal, n % 3, &format!("signal {n}")),
                record(Topic::Decisions, n % 3, &format!("decision {n}")),
            ])
        })
        .collect();
    assert_eq!(*log.durable_end(Topic::Journal, 0).borrow(), 1, "nothing is durable yet");
    assert_eq!(bodies(&log, Topic::Journal, 0), [""; 0], "and nobody reads what isn't");
    disk.set_gate(true);
    wait(first).unwrap();
    for appending in waiting {
        assert_eq!(wait(appending).unwrap().len(), 2);
    }
    assert_eq!(disk.syncs() - before, 2, "one for the first, one for all that gathered meanwhile");
    let stats = log.stats();
    assert_eq!((stats.syncs, stats.records, stats.queued_records, stats.queued_bytes), (2, 201, 0, 0));
}

/// Records beyond the genesis records that were written, durable or not.
fn bodies_written(disk: &SimulatedDisk) -> u64 {
    (0..10).filter_map(|slot| disk.last_offset(slot).unwrap()).sum()
}

fn push(queue: &Queue) {
    let records = [record(Topic::Journal, 0, "body")];
    let (reply, _) = oneshot::channel();
    queue.push(Pending { encoded: Encoded::new(&records, Layout::with_partitions(3)).unwrap(), reply }).unwrap();
}

/// Clients that were answered together come again together, one after the other.
#[test]
fn a_group_waits_for_those_who_came_the_last_time() {
    let hour = 3_600_000_000;
    let queue = Arc::new(Queue::new(&EmbeddedLogConfig { gather_us: hour, ..config() }));
    for alone in 1..=3 {
        push(&queue);
        assert_eq!(queue.take_group().unwrap().len(), 1, "who writes alone waits for nobody: {alone}");
    }
    (0..3).for_each(|_| push(&queue));
    assert_eq!(queue.take_group().unwrap().len(), 3);
    let coming = thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            for _ in 0..3 {
                thread::sleep(std::time::Duration::from_millis(5));
                push(&queue);
            }
        }
    });
    assert_eq!(queue.take_group().unwrap().len(), 3);
    coming.join().unwrap();
    push(&queue);
    queue.close();
    assert_eq!(queue.take_group().unwrap().len(), 1, "nobody else will come");
    assert!(queue.take_group().is_none());
    // And not for ever, nor every time.
    let gather = std::time::Duration::from_millis(2);
    let queue = Queue::new(&EmbeddedLogConfig { gather_us: 2_000, ..config() });
    (0..3).for_each(|_| push(&queue));
    assert_eq!(queue.take_group().unwrap().len(), 3);
    let mut waited = Vec::new();
    for _ in 0..4 {
        push(&queue);
        let began = std::time::Instant::now();
        assert_eq!(queue.take_group().unwrap().len(), 1);
        waited.push(began.elapsed() >= gather);
    }
    assert_eq!(waited, [true, true, false, false], "one more than one, by turns fewer, are expected");
}

/// A group in between that is smaller does not make the next ones small.
#[test]
fn large_groups_are_remembered_for_a_while() {
    let queue = Queue::new(&EmbeddedLogConfig { gather_us: 0, ..config() });
    let group = |size: usize| {
        (0..size).for_each(|_| push(&queue));
        assert_eq!(queue.take_group().unwrap().len(), size);
        queue.expected()
    };
    assert_eq!(group(64), 64);
    assert_eq!(group(8), 56);
    assert_eq!(group(60), 60);
    let falling: Vec<usize> = (0..40).map(|_| group(1)).collect();
    assert!(falling.is_sorted_by(|a, b| a >= b) && falling.last() == Some(&1), "{falling:?}");
}

#[test]
fn a_group_is_bounded() {
    let disk = SimulatedDisk::new(1);
    let log = simulated(&disk);
    let before = disk.syncs();
    disk.set_gate(false);
    let large = "x".repeat(1 << 20);
    let waiting: Vec<_> = (0..13).map(|_| log.append(vec![record(Topic::Journal, 0, &large)])).collect();
    disk.set_gate(true);
    for appending in waiting {
        wait(appending).unwrap();
    }
    let syncs = disk.syncs() - before;
    assert!((4..=6).contains(&syncs), "13 MiB in groups of at most 4 MiB: {syncs}");
}

#[test]
fn past_the_bound_an_append_fails_at_once() {
    let disk = SimulatedDisk::new(1);
    for bound in [
        EmbeddedLogConfig { max_queued_records: 10, ..config() },
        EmbeddedLogConfig { max_queued_bytes: 10 * 1_100, ..config() },
    ] {
        let log = EmbeddedLog::start(Path::new("simulated"), &bound, Arc::new(disk.clone()), None).unwrap();
        disk.set_gate(false);
        let body = "x".repeat(1_000);
        let waiting: Vec<_> = (0..10).map(|_| log.append(vec![record(Topic::Journal, 0, &body)])).collect();
        let refused = wait(log.append(vec![record(Topic::Journal, 0, &body)])).unwrap_err();
        assert!(refused.retryable && refused.outcome == Outcome::NotStored, "{refused:?}");
        assert!(log.stats().queued_records == 10 && log.stats().refused == 1);
        assert_eq!(log.health(), Ok(()), "full is not broken");
        disk.set_gate(true);
        for appending in waiting {
            wait(appending).unwrap();
        }
        wait(log.append(vec![record(Topic::Journal, 0, &body)])).unwrap();
        let never = wait(log.append((0..12).map(|_| record(Topic::Journal, 0, &body)).collect())).unwrap_err();
        assert!(!never.retryable, "larger than the whole queue: {never:?}");
    }
}

#[test]
fn closing_writes_what_waits() {
    let disk = SimulatedDisk::new(1);
    let log = simulated(&disk);
    disk.set_gate(false);
    let waiting: Vec<_> = (0..20).map(|n| log.append(vec![record(Topic::Journal, 1, &format!("{n}"))])).collect();
    let closing = thread::spawn(move || drop(log));
    disk.set_gate(true);
    closing.join().unwrap();
    for appending in waiting {
        wait(appending).unwrap();
    }
    assert_eq!(bodies(&simulated(&disk), Topic::Journal, 1), (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn appends_larger_than_a_chunk_keep_their_places() {
    let dir = tempfile::tempdir().unwrap();
    let log = on_disk(dir.path());
    let sizes = [10, 70_000, 200_000, 5, 60_000, 10_000, 0, 64 << 10, 1];
    let records: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(n, &size)| record(Topic::Journal, 0, &format!("{n} {}", "y".repeat(size))))
        .collect();
    let positions = wait(log.append(records.clone())).unwrap();
    assert!(positions.iter().map(|position| position.offset).eq(1..=9));
    let mut found = Vec::new();
    for from in 1..=9 {
        log.read(Topic::Journal, 0, from, ReadLimit { records: 1, bytes: 0 }, &mut found).unwrap();
    }
    assert!(found.iter().zip(&records).all(|(found, record)| found.value == record.value));
}
