//! Builds of further sets of generations.

use std::{sync::Arc, time::Duration};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, Topic};
use hindcast_projector::{Builder, BuilderConfig, FleetPorts, ProjectorMetrics};
use hindcast_reader::Boards;
use hindcast_replay_tools::{refold, reproject::other_verdicts};
use hindcast_views::{ViewStore, memory::MemoryViews};

use crate::{
    stream::Stream,
    world::{PATIENCE, codec, memory_log, project_to_end},
};

/// Another fold of books, and a window so short that records repeated late count as new.
fn changed() -> GenerationSet {
    let mut set = GenerationSet::default();
    set.admission.params.window_ids = 16;
    set.book.fold_version = 2;
    set.book.complete();
    set
}

/// How much of each topic there is.
fn ends(log: &dyn Log) -> Vec<u64> {
    let of = |topic| (0..log.identity().partitions_of(topic)).map(move |partition| (topic, partition));
    let all = [Topic::Journal, Topic::Decisions, Topic::Control, Topic::DeadLetters].into_iter().flat_map(of);
    all.map(|(topic, partition)| *log.durable_end(topic, partition).borrow()).collect()
}

async fn build(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>, set: &GenerationSet, config: &BuilderConfig) {
    let ports = FleetPorts {
        log: Arc::clone(log),
        views: Arc::clone(views),
        codec: codec(),
        boards: Arc::new(Boards::new(log.identity().partitions)),
        metrics: Arc::new(ProjectorMetrics::register_build(&prometheus::Registry::new()).unwrap()),
    };
    let builder = Builder::start(&ports, set, config, None, || false).unwrap();
    let done = async {
        while !builder.is_done() {
            assert_eq!(builder.failure(), None);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("the build is not done");
    tokio::task::spawn_blocking(|| builder.stop()).await.unwrap().unwrap();
}

async fn assert_built(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>, set: &GenerationSet) {
    let refolded = refold(&**log, &codec(), set).unwrap();
    let comparison = refolded.compare(&**views).await.unwrap();
    assert!(comparison.is_same() && comparison.same > 20, "{:?}", comparison.differences);
}

/// Records that no fold can use, and such as only one of the sets uses: the build goes on, nothing is published, and the
/// comparison names each of them.
#[tokio::test]
async fn a_build_over_bad_records_goes_on_and_publishes_nothing() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 3, 40);
    stream.append(1_500).await;
    assert!(!stream.unusable.is_empty());
    project_to_end(&log, &views).await;
    let before = ends(&*log);
    build(&log, &views, &changed(), &BuilderConfig { done_lag_events: 0, ..BuilderConfig::default() }).await;
    assert_eq!(ends(&*log), before, "a build writes to no log");
    assert_built(&log, &views, &changed()).await;
    assert_built(&log, &views, &GenerationSet::default()).await;
    let verdicts = other_verdicts(&*log, &codec(), &GenerationSet::default(), &changed()).unwrap();
    assert!(verdicts.different > 0 && !verdicts.listed.is_empty(), "{verdicts:?}");
    assert!(verdicts.listed.iter().all(|found| found.old != found.new && found.position.starts_with("0-")));
}

/// However little memory there is, states are written and read again until the rows are right.
#[tokio::test]
async fn little_memory_makes_the_same_rows() {
    let log = memory_log();
    Stream::new(Arc::clone(&log), 5, 40).append(1_500).await;
    for (state_bytes, threads) in [(1, 1), (200_000, 2), (64 << 20, 3)] {
        let views = Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>;
        let config = BuilderConfig { state_bytes, threads, done_lag_events: 0, ..BuilderConfig::default() };
        build(&log, &views, &changed(), &config).await;
        assert_built(&log, &views, &changed()).await;
    }
}
