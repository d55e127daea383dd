//! Processes killed at random moments, among them while they make their folder.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::contract::{Seed, wait};

const FOLDERS: u64 = 8;
const LIVES: u64 = 4;
const FOLDER_VARIABLE: &str = "HINDCAST_TEST_KILL_FOLDER";

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    let seed = Seed::new("a_killed_process_loses_nothing_acknowledged");
    let mut rng = StdRng::seed_from_u64(seed.value);
    let mut acknowledged_total = 0;
    for folder in 0..FOLDERS {
        let dir = tempfile::tempdir().unwrap();
        let mut acknowledged = Vec::new();
        // On a machine so slow that none got to write until now, the others live longer.
        let factor = if folder >= FOLDERS / 2 && acknowledged_total == 0 { 20 } else { 1 };
        for life in 0..LIVES {
            // Mostly while the folder is being made in the first life, and while it is written to in the others.
            let lifetime = Duration::from_micros(rng.random_range(0..if life == 0 { 60_000 } else { 250_000 }));
            acknowledged.extend(live_and_die(dir.path(), lifetime * factor));
        }
        let log = on_disk(dir.path());
        let found = bodies(&log, Topic::Journal, 0);
        for (offset, body) in &acknowledged {
            assert_eq!(found.get(usize::try_from(offset - 1).unwrap()), Some(body), "folder {folder}");
        }
        assert_eq!(found, bodies(&log, Topic::Decisions, 0), "folder {folder}: both topics or neither");
        acknowledged_total += acknowledged.len();
    }
    assert!(acknowledged_total > 0, "no process lived long enough to write");
}

/// Runs [`child`] for a while; returns what it was acknowledged.
fn live_and_die(dir: &Path, lifetime: Duration) -> Vec<(u64, String)> {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["embedded::tests::kill::child", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER_VARIABLE, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = process.stdout.take().unwrap();
    let reading = thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        // The last line may be torn; a whole one ends with a full stop.
        let whole = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.strip_suffix('.').map(str::to_owned));
        whole
            .map(|line| {
                let (offset, body) = line.split_once(' ').unwrap();
                (offset.parse().unwrap(), body.to_owned())
            })
            .collect()
    });
    thread::sleep(lifetime);
    process.kill().unwrap();
    process.wait().unwrap();
    reading.join().unwrap()
}

#[test]
#[ignore = "the process that a_killed_process_loses_nothing_acknowledged starts and kills"]
fn child() {
    let dir = std::env::var_os(FOLDER_VARIABLE).expect("started by the test that kills it");
    let log = on_disk(Path::new(&dir));
    let out = Mutex::new(std::io::stdout());
    thread::scope(|scope| {
        for writer in 0..3 {
            let (log, out) = (&log, &out);
            scope.spawn(move || {
                for n in 0_u64.. {
                    let body = format!("{} {writer} {n}", std::process::id());
                    let pair = vec![record(Topic::Journal, 0, &body), record(Topic::Decisions, 0, &body)];
                    let offset = wait(log.append(pair)).unwrap()[0].offset;
                    writeln!(out.lock().unwrap(), "acknowledged {offset} {body}.").unwrap();
                }
            });
        }
    });
}
