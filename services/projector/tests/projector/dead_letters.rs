//! Records that no fold can use.

use std::{collections::BTreeSet, sync::Arc};

use hindcast_domain::Position;
use hindcast_journal::{Log, NewRecord, ReadLimit, Record, RecordType, Topic, memory::MemoryLog};
use hindcast_projector::ProjectorConfig;
use hindcast_views::{ViewStore, memory::MemoryViews};

use crate::{
    stream::Stream,
    world::{PARTITIONS, assert_refolded, caught_up, memory_log, ports, small_config, start},
};

fn dead_letters(log: &dyn Log) -> Vec<Record> {
    let mut records = Vec::new();
    for partition in 0..log.identity().partitions {
        let limit = ReadLimit { records: usize::MAX, bytes: usize::MAX };
        log.read(Topic::DeadLetters, partition, 0, limit, &mut records).unwrap();
    }
    records.retain(|record| record.record_type == RecordType::DeadLetter);
    records
}

fn position_of(notice: &Record) -> Position {
    let notice: serde_json::Value = serde_json::from_slice(&notice.value).unwrap();
    serde_json::from_value(notice["position"].clone()).unwrap()
}

#[tokio::test]
async fn each_is_told_once_with_its_position_and_bytes() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 1, 40);
    stream.append(1_500).await;
    let ports = ports(&log, &views);
    let projector = start(&ports, &small_config());
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();
    assert_refolded(&log, &views).await;

    let letters = dead_letters(&*log);
    let positions: Vec<Position> = letters.iter().map(position_of).collect();
    let told: BTreeSet<String> = positions.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), positions.len(), "no record is told twice");
    for position in &stream.unusable {
        assert!(told.contains(&position.to_string()), "{position}");
    }
    for letter in &letters {
        let notice: serde_json::Value = serde_json::from_slice(&letter.value).unwrap();
        let position = position_of(letter);
        let mut of = Vec::new();
        let one = ReadLimit { records: 1, bytes: 1 };
        log.read(Topic::Journal, position.partition, position.offset, one, &mut of).unwrap();
        let hex: String = of[0].value.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(notice["body_hex"], hex);
        assert_eq!(letter.key, of[0].key);
        assert!(!notice["reason"].as_str().unwrap().is_empty());
        assert!(!notice["detail"].is_null());
    }
    // Rebuilding the same into an empty store by other means tells nothing: refolding above did not.
    assert_eq!(dead_letters(&*log).len(), letters.len());
}

#[tokio::test]
async fn progress_waits_until_they_are_told() {
    let memory = MemoryLog::new(PARTITIONS);
    let (log, views) = (Arc::new(memory.clone()) as Arc<dyn Log>, Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut stream = Stream::new(Arc::clone(&log), 2, 20);
    stream.append(400).await;
    memory.set_down(Some("no space"));
    let ports = ports(&log, &views);
    let projector = start(&ports, &small_config());
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(dead_letters(&*log).is_empty());
    assert!(!stream.unusable.is_empty());
    for untold in &stream.unusable {
        let progress = ports.board.current(untold.partition);
        assert!(progress.is_none_or(|progress| progress.position.offset < untold.offset), "{untold} {progress:?}");
    }
    memory.set_down(None);
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();
    assert!(!dead_letters(&*log).is_empty());
    assert_refolded(&log, &views).await;
}

/// A flood of them, large ones, is neither held in memory whole nor in the way of anybody.
#[tokio::test]
async fn a_flood_of_large_ones_passes() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    Stream::new(Arc::clone(&log), 3, 20).append(100).await;
    let rubbish = NewRecord {
        topic: Topic::Journal,
        partition: 0,
        key: b"?"[..].into(),
        record_type: RecordType::Trade,
        timestamp_us: 1,
        traceparent: None,
        value: vec![0xff; 200_000],
    };
    for _ in 0..200 {
        log.append(vec![rubbish.clone()]).await.unwrap();
    }
    let ports = ports(&log, &views);
    let projector = start(&ports, &ProjectorConfig::default());
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();
    assert_refolded(&log, &views).await;
    let letters = dead_letters(&*log);
    assert!(letters.len() >= 200);
    assert!(letters.iter().all(|letter| letter.value.len() < 140_000));
}
