//! Following a journal while it grows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_domain::Position;
use hindcast_journal::{
    Log, Topic,
    embedded::{EmbeddedLog, EmbeddedLogConfig},
};
use hindcast_projector::{ProjectorConfig, ProjectorMetrics, ProjectorPorts};
use hindcast_views::{
    ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig},
    memory::MemoryViews,
};
use prometheus::Registry;

use crate::{
    stream::Stream,
    world::{PATIENCE, assert_refolded, caught_up, memory_log, ports, small_config, start},
};

/// Ports whose metrics can be read.
fn observed_ports(log: &Arc<dyn Log>, views: &Arc<dyn ViewStore>) -> (ProjectorPorts, Registry) {
    let registry = Registry::new();
    let metrics = ProjectorMetrics::register(&registry).unwrap();
    (ProjectorPorts { metrics: Arc::new(metrics), ..ports(log, views) }, registry)
}

fn values(registry: &Registry, name: &str, value: impl Fn(&prometheus::proto::Metric) -> f64) -> Vec<f64> {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    family.get_metric().iter().map(value).collect()
}

/// Waits until the journal is folded to its end, though nothing may be written.
async fn folded_to_end(ports: &ProjectorPorts, registry: &Registry) {
    let partitions = 0..ports.log.identity().partitions;
    let records: u64 = partitions.map(|partition| *ports.log.durable_end(Topic::Journal, partition).borrow()).sum();
    let since = Instant::now();
    while values(registry, "hindcast_projected_records_total", |metric| metric.get_counter().get_value())
        != [records as f64]
    {
        assert!(since.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_growing_journal_is_followed() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 1, 40);
    let ports = ports(&log, &views);
    let projector = start(&ports, &small_config());
    for _ in 0..20 {
        stream.append(100).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    caught_up(&ports, &projector).await;
    assert_refolded(&log, &views).await;
    projector.stop().unwrap();
}

#[tokio::test]
async fn on_disk_too() {
    let dir = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(&dir.path().join("log"), &EmbeddedLogConfig::default()).unwrap();
    let log: Arc<dyn Log> = Arc::new(log);
    let mut stream = Stream::new(Arc::clone(&log), 2, 40);
    stream.append(300).await;
    let views = EmbeddedViews::open(&dir.path().join("views"), &EmbeddedViewsConfig::default()).unwrap();
    let views: Arc<dyn ViewStore> = Arc::new(views);
    let ports = ports(&log, &views);
    let projector = start(&ports, &small_config());
    stream.append(100).await;
    caught_up(&ports, &projector).await;
    assert_refolded(&log, &views).await;
    projector.stop().unwrap();
}

/// States of all users don't fit: they come and go all the time.
#[tokio::test]
async fn little_memory_changes_nothing() {
    for state_bytes in [1, 20_000, 300_000] {
        let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
        Stream::new(Arc::clone(&log), 3, 60).append(2_000).await;
        let ports = ports(&log, &views);
        let projector = start(&ports, &ProjectorConfig { state_bytes, ..small_config() });
        caught_up(&ports, &projector).await;
        projector.stop().unwrap();
        assert_refolded(&log, &views).await;
    }
}

/// Rows are written when it is time; a reader that waits makes it time.
#[tokio::test]
async fn a_reader_is_not_kept_waiting() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 4, 10);
    let ports = ports(&log, &views);
    let config = ProjectorConfig {
        flush_interval_ms: Some(3_600_000),
        catch_up_flush_interval_ms: 3_600_000,
        ..ProjectorConfig::default()
    };
    let projector = start(&ports, &config);
    for _ in 0..5 {
        stream.append(200).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        for partition in 0..log.identity().partitions {
            let offset = *log.durable_end(Topic::Journal, partition).borrow() - 1;
            let wanted = Position { epoch: 0, partition, offset };
            let progress = ports.board.wait(wanted, PATIENCE).await.unwrap();
            assert_eq!(progress.position, wanted);
        }
    }
    let since = Instant::now();
    assert_refolded(&log, &views).await;
    projector.stop().unwrap();
    assert!(since.elapsed() < PATIENCE);
}

/// After a rebuild or a pause nobody waits for the last rows.
#[tokio::test]
async fn what_was_far_behind_is_written_when_it_has_caught_up() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    Stream::new(Arc::clone(&log), 8, 20).append(1_000).await;
    let ports = ports(&log, &views);
    let config =
        ProjectorConfig { flush_interval_ms: Some(3_600_000), catch_up_flush_interval_ms: 3_600_000, ..small_config() };
    let projector = start(&ports, &config);
    caught_up(&ports, &projector).await;
    assert_refolded(&log, &views).await;
    projector.stop().unwrap();
}

#[tokio::test]
async fn stopping_writes_what_is_folded() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    Stream::new(Arc::clone(&log), 5, 20).append(500).await;
    let (ports, registry) = observed_ports(&log, &views);
    let config = ProjectorConfig {
        flush_interval_ms: Some(3_600_000),
        catch_up_flush_interval_ms: 3_600_000,
        ..ProjectorConfig::default()
    };
    let projector = start(&ports, &config);
    folded_to_end(&ports, &registry).await;
    assert_eq!(ports.board.current(0), None);
    projector.stop().unwrap();
    assert_refolded(&log, &views).await;
}

/// Partitions that are far behind take turns; those that are not are followed all the while.
#[tokio::test]
async fn a_long_backlog_of_some_keeps_no_other_waiting() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 6, 40);
    stream.append(100).await;
    let live = 1;
    stream.append_except(live, 6_000).await;
    let ports = ports(&log, &views);
    // A turn takes as long as it likes: it must not matter.
    let config =
        ProjectorConfig { threads: 1, read_records: 50, catch_up_flush_interval_ms: 3_600_000, ..small_config() };
    let projector = start(&ports, &config);
    let end = |partition| *log.durable_end(Topic::Journal, partition).borrow();
    let wanted = Position { epoch: 0, partition: live, offset: end(live) - 1 };
    ports.board.wait(wanted, PATIENCE).await.unwrap();
    let behind =
        |partition| ports.board.current(partition).is_none_or(|progress| progress.next_offset < end(partition));
    assert!(behind(0) && behind(2));
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();
    assert_refolded(&log, &views).await;
}

/// A record that comes after a quiet time is not as old as the one before it.
#[tokio::test]
async fn lag_is_that_of_records_without_rows() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    // Received long ago.
    Stream::new(Arc::clone(&log), 7, 10).append(300).await;
    let (ports, registry) = observed_ports(&log, &views);
    let gauges = |name: &str| -> Vec<f64> { values(&registry, name, |metric| metric.get_gauge().get_value()) };
    let hour_long = ProjectorConfig { flush_interval_ms: Some(3_600_000), read_records: 4_096, ..small_config() };
    let projector = start(&ports, &hour_long);
    folded_to_end(&ports, &registry).await;
    // Lags are told after each look at a partition.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(gauges("hindcast_projection_lag_events").iter().all(|events| *events > 1.0));
    assert!(gauges("hindcast_projection_lag_seconds").iter().all(|age| *age > 86_400.0), "of a month ago");
    projector.stop().unwrap();

    let projector = start(&ports, &small_config());
    caught_up(&ports, &projector).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(gauges("hindcast_projection_lag_events").iter().all(|events| *events == 0.0));
    assert!(gauges("hindcast_projection_lag_seconds").iter().all(|age| *age == 0.0));
    projector.stop().unwrap();
}
