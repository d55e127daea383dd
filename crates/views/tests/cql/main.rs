//! The contract suite on a real CQL store, and what only such a store has to guarantee.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod loss;
mod opening;
mod pauses;
mod proxy;
mod removing;
#[cfg(feature = "cql-tls")]
mod secured;
mod versions;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_domain::Position;
use hindcast_views::{
    Progress, RowWrite, TableName, ViewBatch, ViewStore,
    cql::{CqlViews, CqlViewsConfig},
    faults::{FaultyViews, ViewFaults},
};
use scylla::client::{session::Session, session_builder::SessionBuilder};

fn node() -> String {
    std::env::var("HINDCAST_TEST_CQL")
        .expect("HINDCAST_TEST_CQL names a CQL store, host:port; start one with `cargo xtask services up`")
}

/// A keyspace of its own for each test.
fn config() -> CqlViewsConfig {
    let keyspace = format!("t_{}", uuid::Uuid::now_v7().simple());
    CqlViewsConfig { nodes: vec![node()], keyspace, ..CqlViewsConfig::default() }
}

async fn open(config: &CqlViewsConfig) -> CqlViews {
    CqlViews::open(config).await.unwrap()
}

/// A session to look at the store, or change it, behind our back.
async fn raw() -> Session {
    SessionBuilder::new().known_node(node()).fetch_schema_metadata(false).build().await.unwrap()
}

fn table(name: &str) -> TableName {
    TableName(name.into())
}

fn at(offset: u64) -> Position {
    Position { epoch: 0, partition: 3, offset }
}

fn row(key: &[u8], offset: u64) -> RowWrite {
    RowWrite { table: table("t"), key: key.to_vec(), applied: at(offset), state: offset.to_be_bytes().to_vec() }
}

fn rows(rows: impl Into<Vec<RowWrite>>) -> ViewBatch {
    ViewBatch { rows: rows.into(), ..ViewBatch::default() }
}

/// One row, and progress from an offset to another.
fn folded(from_offset: u64, next_offset: u64) -> ViewBatch {
    let position = at(next_offset - 1);
    let progress = Progress { journal_id: uuid::Uuid::from_u128(1), next_offset, position };
    ViewBatch { rows: vec![row(b"k", next_offset - 1)], progress: vec![(table("t"), progress)], from_offset }
}

/// Repeats what may be repeated, as a projector does: behind a proxy that was stopped, a connection may still be given up.
async fn write_at_last(store: &dyn ViewStore, batch: ViewBatch) {
    let since = Instant::now();
    while let Err(error) = store.write(batch.clone()).await {
        assert!(error.retryable && since.elapsed() < Duration::from_secs(30), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn stored_offset(store: &dyn ViewStore, key: &[u8]) -> Option<u64> {
    let rows = store.read(&table("t"), vec![key.to_vec()]).await.unwrap();
    rows[0].as_ref().map(|row| row.applied.offset)
}

mod plain {
    use super::*;
    hindcast_views::view_store_contract!((open(&config()).await, ()));
}

mod with_faults {
    use super::*;
    hindcast_views::view_store_contract!({
        let store = Arc::new(open(&config()).await);
        (FaultyViews::new(store, 3, ViewFaults::some_of_all()), ())
    });
}
