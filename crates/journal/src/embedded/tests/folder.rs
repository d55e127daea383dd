//! Folders, real ones.

use std::fs;

use super::*;
use crate::contract::wait;

fn refusal(dir: &Path, config: &EmbeddedLogConfig) -> String {
    let line = EmbeddedLog::open(dir, config).expect_err("must be refused").to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn a_log_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut identity = None;
    let mut expected = Vec::new();
    for life in 0..4 {
        let log = on_disk(dir.path());
        assert_eq!(identity.get_or_insert_with(|| log.identity().clone()), log.identity());
        assert_eq!(bodies(&log, Topic::Journal, 1), expected);
        for n in 0..50 {
            let body = format!("{life} {n}");
            let records = vec![record(Topic::Journal, 1, &body), record(Topic::Control, 0, &body)];
            let positions = wait(log.append(records)).unwrap();
            expected.push(body);
            assert!(positions.iter().all(|position| position.offset == expected.len() as u64));
        }
        assert_eq!(bodies(&log, Topic::Control, 0), expected);
    }
}

#[test]
fn folders_that_are_not_ours_are_refused() {
    let foreign = tempfile::tempdir().unwrap();
    fs::write(foreign.path().join("thesis.txt"), b"x").unwrap();
    assert!(refusal(foreign.path(), &config()).contains("thesis.txt"));

    let newer = tempfile::tempdir().unwrap();
    drop(on_disk(newer.path()));
    fs::write(newer.path().join("hindcast.json"), br#"{"kind":"log","version":2}"#).unwrap();
    assert!(refusal(newer.path(), &config()).contains("newer version"));
    fs::write(newer.path().join("hindcast.json"), br#"{"kind":"views","version":1}"#).unwrap();
    assert!(refusal(newer.path(), &config()).contains("holds views"));
}

#[test]
fn a_folder_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = on_disk(dir.path());
    assert!(refusal(dir.path(), &config()).contains("in use"));
    drop(log);
    on_disk(dir.path());
}

#[test]
fn another_number_of_partitions_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(on_disk(dir.path()));
    for partitions in [1, 2, 4, 8] {
        let line = refusal(dir.path(), &EmbeddedLogConfig { partitions, ..config() });
        assert!(line.contains(&format!("3 partitions, the configuration says {partitions}")), "{line}");
    }
    on_disk(dir.path());
}

#[test]
fn settings_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (config, names) in [
        (EmbeddedLogConfig { partitions: 0, ..config() }, "partitions"),
        (EmbeddedLogConfig { partitions: 1_025, ..config() }, "partitions"),
        (EmbeddedLogConfig { max_queued_bytes: 0, ..config() }, "max_queued_bytes"),
        (EmbeddedLogConfig { memtables_bytes: 1, ..config() }, "memtables_bytes"),
    ] {
        assert!(refusal(dir.path(), &config).contains(names));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Enough to fill several memtables, so that records come from tables, from memory and from both.
#[test]
fn records_outlive_memtables() {
    let dir = tempfile::tempdir().unwrap();
    let small = EmbeddedLogConfig { memtables_bytes: 1 << 20, ..config() };
    let body = |n: u32| format!("{n} {}", "z".repeat(2_000));
    let log = EmbeddedLog::open(dir.path(), &small).unwrap();
    let mut n = 0;
    for _ in 0..100 {
        let records = (0..100).map(|_| {
            n += 1;
            record(Topic::Journal, 0, &body(n))
        });
        wait(log.append(records.collect())).unwrap();
    }
    let expected: Vec<_> = (1..=10_000).map(body).collect();
    assert!(bodies(&log, Topic::Journal, 0) == expected);
    drop(log);
    let log = EmbeddedLog::open(dir.path(), &small).unwrap();
    assert!(bodies(&log, Topic::Journal, 0) == expected);
    for from in [1_u32, 4_321, 9_999] {
        let mut found = Vec::new();
        log.read(Topic::Journal, 0, u64::from(from), ReadLimit { records: 1, bytes: 0 }, &mut found).unwrap();
        assert_eq!(found[0].value, body(from).as_bytes());
    }
}
