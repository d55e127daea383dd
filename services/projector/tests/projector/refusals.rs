//! What a projector refuses to work with.

use std::sync::Arc;

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, LogIdentity, memory::MemoryLog};
use hindcast_projector::{Projector, ProjectorError};
use hindcast_views::{Pending, Progress, Row, TableName, ViewBatch, ViewStore, memory::MemoryViews};

use crate::{
    stream::Stream,
    world::{PARTITIONS, PATIENCE, memory_log, ports, project_to_end, small_config, start},
};

async fn failure(projector: &Projector) -> String {
    let mut failure = projector.failure();
    let failed = tokio::time::timeout(PATIENCE, failure.wait_for(Option::is_some)).await;
    failed.unwrap().unwrap().clone().unwrap()
}

#[tokio::test]
async fn views_of_another_journal() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    Stream::new(Arc::clone(&log), 1, 20).append(100).await;
    project_to_end(&log, &views).await;
    let identity = LogIdentity { journal_id: uuid::Uuid::from_u128(99), epoch: 0, partitions: PARTITIONS };
    let other: Arc<dyn Log> = Arc::new(MemoryLog::with_identity(identity));
    Stream::new(Arc::clone(&other), 1, 20).append(200).await;
    let projector = start(&ports(&other, &views), &small_config());
    assert!(failure(&projector).await.contains("were folded from journal"));
    assert!(matches!(projector.stop(), Err(ProjectorError::AnotherJournal { .. })));
}

#[tokio::test]
async fn views_that_are_ahead_of_the_journal() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    Stream::new(Arc::clone(&log), 1, 20).append(100).await;
    project_to_end(&log, &views).await;
    let projector = start(&ports(&memory_log(), &views), &small_config());
    assert!(failure(&projector).await.contains("but the journal ends at 1"));
    assert!(matches!(projector.stop(), Err(ProjectorError::AheadOfJournal { .. })));
}

#[tokio::test]
async fn folds_that_this_version_does_not_have() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    let mut set = GenerationSet::default();
    set.book.fold_version = u32::MAX;
    let refused = Projector::start(&ports(&log, &views), &set, &small_config()).unwrap_err();
    assert!(matches!(refused, ProjectorError::UnknownFold(_)), "{refused}");
}

/// A store with a bug.
struct Panicking;

impl ViewStore for Panicking {
    fn read(&self, _: &TableName, _: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        panic!("a test says so")
    }

    fn write(&self, _: ViewBatch) -> Pending<'_, ()> {
        panic!("a test says so")
    }

    fn progress(&self, _: &TableName, _: u16) -> Pending<'_, Option<Progress>> {
        panic!("a test says so")
    }

    fn scan(&self, _: &TableName, _: Option<Vec<u8>>, _: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        panic!("a test says so")
    }

    fn drop_table(&self, _: &TableName) -> Pending<'_, ()> {
        panic!("a test says so")
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_is_told() {
    let (log, views) = (memory_log(), Arc::new(Panicking) as Arc<dyn ViewStore>);
    let projector = start(&ports(&log, &views), &small_config());
    assert!(failure(&projector).await.contains("panicked"));
    assert!(matches!(projector.stop(), Err(ProjectorError::Panicked)));
}
