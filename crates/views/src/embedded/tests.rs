//! Opening the engine again after it broke.

use std::{fs, path::Path, time::Instant};

use hindcast_domain::Position;

use super::*;
use crate::RowWrite;

fn write_of(offset: u64) -> ViewBatch {
    let applied = Position { epoch: 0, partition: 0, offset };
    let state = offset.to_be_bytes().to_vec();
    ViewBatch { rows: vec![RowWrite { table: table(), key: b"k".to_vec(), applied, state }], ..ViewBatch::default() }
}

fn table() -> TableName {
    TableName("t".into())
}

async fn stored_offset(store: &EmbeddedViews) -> Option<u64> {
    let rows = store.read(&table(), vec![b"k".to_vec()]).await.unwrap();
    rows[0].as_ref().map(|row| row.applied.offset)
}

/// No file can be made under the name of the probe, as if the disk were full.
fn fill_disk(dir: &Path) {
    fs::create_dir(dir.join("probe")).unwrap();
}

fn free_disk(dir: &Path) {
    fs::remove_dir(dir.join("probe")).unwrap();
}

#[tokio::test]
async fn reads_go_on_while_nothing_can_be_written_and_writes_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedViews::open(dir.path(), &EmbeddedViewsConfig::default()).unwrap();
    store.write(write_of(1)).await.unwrap();
    fill_disk(dir.path());
    store.shared.broke("a test says so");
    let refused = store.write(write_of(2)).await.unwrap_err();
    assert!(refused.retryable && refused.detail.contains("can't be written"), "{refused}");
    assert!(store.health().unwrap_err().contains("can't be written"));
    assert_eq!(stored_offset(&store).await, Some(1));

    free_disk(dir.path());
    let since = Instant::now();
    while store.write(write_of(2)).await.is_err() {
        assert!(since.elapsed().as_secs() < 10, "{:?}", store.health());
        tokio::time::sleep(REPAIR_PAUSE / 10).await;
    }
    assert_eq!(store.health(), Ok(()));
    assert_eq!(stored_offset(&store).await, Some(2));
    assert_eq!(store.stats().reopened, 1);
}

#[tokio::test]
async fn the_store_comes_back_without_being_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedViews::open(dir.path(), &EmbeddedViewsConfig::default()).unwrap();
    store.write(write_of(1)).await.unwrap();
    fill_disk(dir.path());
    store.shared.broke("a test says so");
    // The writing thread waits for work without end; any makes it see that something is wrong.
    assert!(store.write(write_of(2)).await.is_err());
    free_disk(dir.path());
    let since = Instant::now();
    while store.health().is_err() {
        assert!(since.elapsed().as_secs() < 10, "{:?}", store.health());
        tokio::time::sleep(REPAIR_PAUSE / 10).await;
    }
    assert_eq!(stored_offset(&store).await, Some(1));
}

#[tokio::test]
async fn work_that_panics_is_told_and_the_threads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedViews::open(dir.path(), &EmbeddedViewsConfig::default()).unwrap();
    for _ in 0..5 {
        let panicked: Pending<'_, ()> = store.reads.run(|| panic!("a test says so"));
        assert!(panicked.await.is_err());
    }
    let panicked: Pending<'_, ()> = store.writes.run(|| panic!("a test says so"));
    assert!(panicked.await.is_err());
    store.write(write_of(1)).await.unwrap();
    assert_eq!(stored_offset(&store).await, Some(1));
    assert_eq!(store.health(), Ok(()));
}
