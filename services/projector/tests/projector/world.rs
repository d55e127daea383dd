//! A log, a codec and a projector's other ports.

use std::{sync::Arc, time::Duration};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, Topic, memory::MemoryLog};
use hindcast_projector::{Notices, Projector, ProjectorConfig, ProjectorMetrics, ProjectorPorts};
use hindcast_reader::ProgressBoard;
use hindcast_replay_tools::refold;
use hindcast_schemas::{Codec, LocalRegistry};
use hindcast_views::ViewStore;

pub(crate) const PARTITIONS: u16 = 3;

/// Longest time for anything to happen; seldom needed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn memory_log() -> Arc<dyn Log> {
    Arc::new(MemoryLog::new(PARTITIONS))
}

pub(crate) fn codec() -> Arc<Codec> {
    Arc::new(Codec::new(LocalRegistry).unwrap())
}

pub(crate) fn ports(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>) -> ProjectorPorts {
    ports_with(log, views, codec())
}

pub(crate) fn ports_with(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>, codec: Arc<Codec>) -> ProjectorPorts {
    let metrics = ProjectorMetrics::register(&prometheus::Registry::new()).unwrap();
    ProjectorPorts {
        log: Arc::clone(log),
        views: Arc::clone(views),
        codec,
        board: Arc::new(ProgressBoard::new(log.identity().partitions)),
        metrics: Arc::new(metrics),
        notices: Notices::All,
        pace: None,
    }
}

/// Small enough that a short stream meets every boundary.
pub(crate) fn small_config() -> ProjectorConfig {
    ProjectorConfig {
        threads: 2,
        state_bytes: 4 << 20,
        read_records: 37,
        flush_interval_ms: Some(3),
        catch_up_flush_interval_ms: 8,
        linger_us: 100,
    }
}

pub(crate) fn start(ports: &ProjectorPorts, config: &ProjectorConfig) -> Projector {
    Projector::start(ports, &GenerationSet::default(), config).unwrap()
}

/// Waits until the journal is projected to its end.
pub(crate) async fn caught_up(ports: &ProjectorPorts, projector: &Projector) {
    let waiting = async {
        for partition in 0..ports.log.identity().partitions {
            loop {
                let end = *ports.log.durable_end(Topic::Journal, partition).borrow();
                if ports.board.current(partition).is_some_and(|progress| progress.next_offset == end) {
                    break;
                }
                assert_eq!(*projector.failure().borrow(), None);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the projector doesn't catch up");
}

/// Projects all that is in the journal with nothing going wrong.
pub(crate) async fn project_to_end(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>) {
    let ports = ports(log, views);
    let projector = start(&ports, &small_config());
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();
}

/// Every table holds what the journal folds into from scratch, no more and no less.
pub(crate) async fn assert_refolded(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>) {
    assert_refolded_with(&codec(), log, views).await;
}

pub(crate) async fn assert_refolded_with(codec: &Codec, log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>) {
    let refolded = refold(&**log, codec, &GenerationSet::default()).unwrap();
    assert!(refolded.rows.len() > 20, "the stream is worth comparing");
    let comparison = refolded.compare(&**views).await.unwrap();
    let differences: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
    assert!(comparison.is_same(), "{differences:#?}");
    assert_eq!(comparison.same as usize, refolded.rows.len());
}
