//! Power cuts.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::contract::{Seed, wait};

const ROUNDS: u64 = 60;
const WRITERS: u16 = 4;

/// Writers write until the power is cut at a random moment. Afterwards everything acknowledged is there, at its place,
/// and what more there is was written, whole and in order.
#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut() {
    let seed = Seed::new("nothing_acknowledged_is_lost_when_the_power_is_cut");
    let mut acknowledged_total = 0;
    for round in 0..ROUNDS {
        let mut rng = StdRng::seed_from_u64(seed.value.wrapping_add(round));
        let mut disk = SimulatedDisk::new(rng.random());
        let mut acknowledged = Vec::new();
        // The log lives through several cuts.
        for life in 0..3 {
            let log = Arc::new(simulated(&disk));
            disk.sync_slowly(300);
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let log = Arc::clone(&log);
                    thread::spawn(move || write_until_cut(&log, life, writer))
                })
                .collect();
            thread::sleep(std::time::Duration::from_micros(rng.random_range(100..4_000)));
            disk.cut_power();
            acknowledged.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
            drop(log);
            disk = disk.after_power_cut();
        }
        check(&simulated(&disk), &acknowledged, round);
        acknowledged_total += acknowledged.len();
    }
    assert!(acknowledged_total > 1_000, "hardly anything was acknowledged: {acknowledged_total}");
}

type Acknowledged = (Position, String);

/// Every append is a signal and its decision.
fn write_until_cut(log: &EmbeddedLog, life: u32, writer: u16) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    for sequence in 0.. {
        let body = format!("{life} {writer} {sequence}");
        let pair = vec![record(Topic::Journal, writer % 2, &body), record(Topic::Decisions, writer % 2, &body)];
        match wait(log.append(pair)) {
            Ok(positions) => acknowledged.push((positions[0], body)),
            Err(_) => break,
        }
    }
    acknowledged
}

fn check(log: &EmbeddedLog, acknowledged: &[Acknowledged], round: u64) {
    for partition in 0..2 {
        let found = bodies(log, Topic::Journal, partition);
        for (position, body) in acknowledged.iter().filter(|(position, _)| position.partition == partition) {
            let at = usize::try_from(position.offset - 1).unwrap();
            assert_eq!(found.get(at), Some(body), "round {round}: acknowledged at {position}");
        }
        assert_eq!(found, bodies(log, Topic::Decisions, partition), "round {round}: a pair was torn");
        let mut last = std::collections::BTreeMap::new();
        for body in &found {
            let mut numbers = body.split(' ').map(|number| number.parse::<u64>().unwrap());
            let (life, writer, sequence) = (numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap());
            let expected = last.insert((life, writer), sequence).map_or(0, |before| before + 1);
            assert_eq!(sequence, expected, "round {round}: a gap in what a writer wrote");
        }
    }
}
