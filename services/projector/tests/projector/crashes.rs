//! Projectors that end at any moment, that are started twice, whose store loses what it did not sync or everything.

use std::{
    fs::{self, OpenOptions},
    path::Path,
    sync::Arc,
    time::Duration,
};

use hindcast_journal::Log;
use hindcast_projector::ProjectorConfig;
use hindcast_views::{
    ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig},
    faults::{FaultyViews, ViewFaults},
    memory::MemoryViews,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    stream::Stream,
    world::{assert_refolded, caught_up, memory_log, ports, project_to_end, small_config, start},
};

/// Starts projectors and abandons them after a random time, each on a store that fails in its own way, while the
/// journal grows. An abandoned one may still be writing while the next one is at work.
async fn crash_often(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>, stream: &mut Stream, seed: u64, rounds: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..rounds {
        stream.append(60).await;
        let faulty = FaultyViews::new(Arc::clone(views), seed + round, ViewFaults::some_of_all());
        let faulty: Arc<dyn ViewStore> = Arc::new(faulty);
        let state_bytes = [10_000, 4 << 20][random.random_range(0..2)];
        let config = ProjectorConfig { state_bytes, threads: random.random_range(1..4), ..small_config() };
        let projector = start(&ports(log, &faulty), &config);
        tokio::time::sleep(Duration::from_micros(random.random_range(0..15_000))).await;
        drop(projector);
    }
    // Writes that were under way may still arrive; none of them can be seen to have ended.
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn crashes_at_any_moment_change_nothing() {
    for seed in 0..6 {
        let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
        let mut stream = Stream::new(Arc::clone(&log), seed, 40);
        crash_often(&log, &views, &mut stream, seed, 25).await;
        project_to_end(&log, &views).await;
        assert_refolded(&log, &views).await;
    }
}

fn open(dir: &Path) -> Arc<dyn ViewStore> {
    Arc::new(EmbeddedViews::open(dir, &EmbeddedViewsConfig::default()).unwrap())
}

/// Loses a random part of what the operating system may not have written yet.
fn lose_unsynced(dir: &Path, random: &mut StdRng) {
    for entry in fs::read_dir(dir.join("rows")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jnl") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let end = content.iter().rposition(|byte| *byte != 0).unwrap_or_default() as u64;
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(random.random_range(end / 2..=end) / 512 * 512).unwrap();
        file.set_len(content.len() as u64).unwrap();
    }
}

#[tokio::test]
async fn crashes_of_the_machine_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = memory_log();
    let mut stream = Stream::new(Arc::clone(&log), 7, 40);
    let mut random = StdRng::seed_from_u64(7);
    for round in 0..8 {
        let views = open(dir.path());
        crash_often(&log, &views, &mut stream, round, 4).await;
        // Abandoned threads hold the store until they end.
        while Arc::strong_count(&views) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(views);
        lose_unsynced(dir.path(), &mut random);
    }
    let views = open(dir.path());
    project_to_end(&log, &views).await;
    assert_refolded(&log, &views).await;
}

/// Seldom enough that an owner with little memory, which writes all the time, gets anywhere.
const SELDOM: ViewFaults = ViewFaults {
    fail_before: 0.02,
    fail_after: 0.02,
    torn: 0.02,
    late: 0.02,
    twice: 0.02,
    delay: Duration::from_micros(200),
};

/// Two owners of the same partitions, neither of which knows of the other.
#[tokio::test]
async fn two_projectors_at_once_change_nothing() {
    for seed in 20..24 {
        let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
        let mut stream = Stream::new(Arc::clone(&log), seed, 40);
        let owners: Vec<_> = [(small_config(), 1), (ProjectorConfig { state_bytes: 50_000, ..small_config() }, 2)]
            .into_iter()
            .map(|(config, own)| {
                let faulty = FaultyViews::new(Arc::clone(&views), seed * 10 + own, SELDOM);
                let faulty: Arc<dyn ViewStore> = Arc::new(faulty);
                let ports = ports(&log, &faulty);
                let projector = start(&ports, &config);
                (ports, projector)
            })
            .collect();
        for _ in 0..30 {
            stream.append(40).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for (ports, projector) in owners {
            caught_up(&ports, &projector).await;
            projector.stop().unwrap();
        }
        project_to_end(&log, &views).await;
        assert_refolded(&log, &views).await;
    }
}

/// The store is emptied under a running projector: what that holds in memory is no continuation of an empty store.
#[tokio::test]
async fn a_store_that_lost_everything_is_filled_again() {
    let log = memory_log();
    let mut stream = Stream::new(Arc::clone(&log), 30, 40);
    let memory = Arc::new(MemoryViews::new());
    let views: Arc<dyn ViewStore> = Arc::<MemoryViews>::clone(&memory);
    let ports = ports(&log, &views);
    let projector = start(&ports, &small_config());
    for _ in 0..3 {
        stream.append(500).await;
        caught_up(&ports, &projector).await;
        memory.lose_everything();
        // It is noticed with the next write of each thread.
        let mut before = (0..log.identity().partitions).map(|partition| ports.board.current(partition));
        assert!(before.all(|progress| progress.is_some()));
        for _ in 0..20 {
            stream.append(10).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();
    assert_refolded(&log, &views).await;
}
