//! Partitions that go from projector to projector while the journal grows.

use std::{sync::Arc, time::Duration};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, Topic, membership::Ownership};
use hindcast_projector::{Fleet, FleetPorts, Kept, Notices, ProjectorMetrics};
use hindcast_reader::{Boards, ProgressBoard};
use hindcast_views::{
    ViewStore,
    faults::{FaultyViews, ViewFaults},
    memory::MemoryViews,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    stream::Stream,
    world::{PARTITIONS, assert_refolded, caught_up, codec, memory_log, ports, project_to_end, small_config, start},
};

/// A fleet that owns nothing, and the board of the only set it keeps up.
fn idle(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>) -> (Arc<Fleet>, Arc<ProgressBoard>) {
    let boards = Arc::new(Boards::new(PARTITIONS));
    let ports = FleetPorts {
        log: Arc::clone(log),
        views: Arc::clone(views),
        codec: codec(),
        boards: Arc::clone(&boards),
        metrics: Arc::new(ProjectorMetrics::register(&prometheus::Registry::new()).unwrap()),
    };
    let fleet = Arc::new(Fleet::new(ports, small_config()));
    let set = kept(GenerationSet::default());
    fleet.keep_up(std::slice::from_ref(&set)).unwrap();
    (fleet, boards.of(&set.name))
}

fn kept(generations: GenerationSet) -> Kept {
    Kept { name: generations.fingerprint().into(), generations, notices: Notices::All }
}

/// Owners block, as the thread of a group's member may.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn a_projector_folds_what_it_is_given_and_nothing_else() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 40, 40);
    stream.append(500).await;
    let (owner, board) = idle(&log, &views);
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!((0..PARTITIONS).all(|partition| board.current(partition).is_none()));
    let own = Arc::clone(&owner);
    on_a_thread(move || own.assigned(&[1])).await;
    let end = *log.durable_end(Topic::Journal, 1).borrow();
    while board.current(1).is_none_or(|progress| progress.next_offset < end) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(owner.progress(), [(1, end)]);
    stream.append(300).await;
    let own = Arc::clone(&owner);
    let given_up = on_a_thread(move || own.revoked(&[1])).await;
    assert_eq!(given_up.len(), 1, "{given_up:?}");
    assert!(given_up[0].1 >= end, "what is stored is told: {given_up:?}");
    assert!(owner.progress().is_empty());
    assert_eq!(board.current(0), None);
    on_a_thread(move || owner.stop()).await.unwrap();
    project_to_end(&log, &views).await;
    assert_refolded(&log, &views).await;
}

/// Two members of a group on a store that fails now and then. Partitions are given up in good order, or lost: then the
/// old owner is told only after the new one has begun.
#[tokio::test]
async fn partitions_that_change_hands_are_folded_without_a_gap_or_a_double() {
    for seed in 50..54 {
        let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
        let mut stream = Stream::new(Arc::clone(&log), seed, 40);
        let mut random = StdRng::seed_from_u64(seed);
        let members: Vec<_> = (0..2)
            .map(|own| {
                let faults = ViewFaults { delay: Duration::from_micros(200), ..ViewFaults::some_of_all() };
                let faulty: Arc<dyn ViewStore> =
                    Arc::new(FaultyViews::new(Arc::clone(&views), seed * 10 + own, faults));
                idle(&log, &faulty).0
            })
            .collect();
        let mut owner_of = vec![0; usize::from(PARTITIONS)];
        let first = Arc::clone(&members[0]);
        on_a_thread(move || first.assigned(&[0, 1, 2])).await;
        for _ in 0..30 {
            stream.append(40).await;
            tokio::time::sleep(Duration::from_micros(random.random_range(0..4_000))).await;
            let partition = random.random_range(0..PARTITIONS);
            let from = std::mem::replace(&mut owner_of[usize::from(partition)], random.random_range(0..2));
            let to = owner_of[usize::from(partition)];
            if from == to {
                continue;
            }
            let (old, new) = (Arc::clone(&members[from]), Arc::clone(&members[to]));
            let is_lost = random.random_bool(0.4);
            on_a_thread(move || {
                if is_lost {
                    new.assigned(&[partition]);
                    std::thread::sleep(Duration::from_millis(2));
                    old.lost(&[partition]);
                } else {
                    let _ = old.revoked(&[partition]);
                    new.assigned(&[partition]);
                }
            })
            .await;
        }
        for fleet in members {
            assert_eq!(*fleet.failure().borrow(), None, "seed {seed}");
            on_a_thread(move || fleet.stop()).await.unwrap();
        }
        let ports = ports(&log, &views);
        let last = start(&ports, &small_config());
        caught_up(&ports, &last).await;
        last.stop().unwrap();
        assert_refolded(&log, &views).await;
    }
}
