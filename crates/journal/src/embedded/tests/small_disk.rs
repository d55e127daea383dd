//! A real disk that really fills up.

use std::{fs, io::Write};

use super::*;
use crate::contract::wait;

#[test]
fn a_real_disk_fills_up_and_is_freed() {
    let name = "embedded::tests::small_disk::a_real_disk_fills_up_and_is_freed";
    let filled = hindcast_test_services::on_small_disk(name, 96, |disk| {
        // With room for some tables the flushing thread meets the full disk, without the write-ahead file does.
        fill_up(disk, 40);
        fill_up(disk, 90);
    });
    filled.unwrap_or_else(|error| panic!("{error}"));
}

fn fill_up(disk: &Path, ballast_mib: u32) {
    let dir = tempfile::tempdir_in(disk).unwrap();
    let ballast = disk.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    for _ in 0..ballast_mib {
        file.write_all(&vec![1; 1 << 20]).unwrap();
    }
    drop(file);
    let log = on_disk(dir.path());
    let mut expected = Vec::new();
    let mut n = 0_u64;
    // Hardly compressible, as the tables are compressed.
    let mut next = || {
        n += 1;
        let noise: String =
            (0..500).map(|m| format!("{:x}", (n * 7_919 + m).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        format!("{n} {noise}")
    };
    let failed = loop {
        let body = next();
        match wait(log.append(vec![record(Topic::Journal, 0, &body)])) {
            Ok(positions) => expected.push((positions[0].offset, body)),
            Err(error) => break error,
        }
    };
    eprintln!("full after {} records: {failed:?}", expected.len());
    assert!(failed.retryable);
    thread::sleep(std::time::Duration::from_secs(3));
    assert!(log.health().is_err());
    assert!(bodies(&log, Topic::Journal, 0).len() >= expected.len(), "reads go on");
    fs::remove_file(&ballast).unwrap();
    eventually("the log resumes by itself", || log.health().is_ok());
    for _ in 0..1_000 {
        let body = next();
        let positions = wait(log.append(vec![record(Topic::Journal, 0, &body)])).unwrap();
        expected.push((positions[0].offset, body));
    }
    let is_there = |log: &EmbeddedLog| {
        let found = bodies(log, Topic::Journal, 0);
        expected.iter().all(|(offset, body)| found[usize::try_from(offset - 1).unwrap()] == *body)
    };
    assert!(is_there(&log));
    drop(log);
    assert!(is_there(&on_disk(dir.path())), "after closing and opening as well");
}
