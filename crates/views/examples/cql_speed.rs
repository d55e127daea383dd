//! How fast rows are written and read through the CQL adapter, beside the driver alone on the same store:
//! `HINDCAST_TEST_CQL=127.0.0.1:9042 cargo run --release -p hindcast-views --features real-services --example cql_speed`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // no part of the product

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use hindcast_domain::Position;
use hindcast_views::{
    Progress, RowWrite, TableName, ViewBatch, ViewStore,
    cql::{CqlViews, CqlViewsConfig},
};
use scylla::client::session_builder::SessionBuilder;

const ROWS: u64 = 100_000;
const BATCH_ROWS: u64 = 5_000;
const STATE_BYTES: usize = 1_500;
const IN_FLIGHT: usize = 128;
const SINGLE_READS: u64 = 5_000;
const ROUNDS: usize = 3;

fn state(n: u64) -> Vec<u8> {
    let mut random = n;
    let mut state = Vec::with_capacity(STATE_BYTES);
    while state.len() < STATE_BYTES {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.extend(random.to_be_bytes());
    }
    state
}

fn batch(from: u64) -> ViewBatch {
    let at = |offset| Position { epoch: 0, partition: 0, offset };
    let rows = (from..from + BATCH_ROWS).map(|n| RowWrite {
        table: TableName("book-1".into()),
        key: format!("user-{:06}/ES", n % ROWS).into_bytes(),
        applied: at(n),
        state: state(n),
    });
    let next_offset = from + BATCH_ROWS;
    let progress = Progress { journal_id: uuid::Uuid::nil(), next_offset, position: at(next_offset - 1) };
    ViewBatch { rows: rows.collect(), progress: vec![(TableName("book-1".into()), progress)], from_offset: from }
}

fn tell(what: &str, rows: u64, took: Duration) {
    println!("{what}: {:.0} rows/s", f64::from(u32::try_from(rows).unwrap()) / took.as_secs_f64());
}

fn tell_latency(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    println!("{what}: p50 {:?}, p99 {:?}", took[took.len() / 2], took[took.len() * 99 / 100]);
}

#[tokio::main]
async fn main() {
    let node = std::env::var("HINDCAST_TEST_CQL").expect("HINDCAST_TEST_CQL names a CQL store, host:port");
    let keyspace = format!("speed_{}", uuid::Uuid::now_v7().simple());
    let config = CqlViewsConfig { nodes: vec![node.clone()], keyspace: keyspace.clone(), ..CqlViewsConfig::default() };
    let store = CqlViews::open(&config).await.unwrap();
    let raw = SessionBuilder::new().known_node(node).build().await.unwrap();
    let text = format!("CREATE TABLE \"{keyspace}\".raw (key blob PRIMARY KEY, value blob)");
    raw.query_unpaged(text, ()).await.unwrap();
    let mut insert = raw.prepare(format!("INSERT INTO \"{keyspace}\".raw (key, value) VALUES (?, ?)")).await.unwrap();
    insert.set_is_idempotent(true);
    let select = raw.prepare(format!("SELECT value FROM \"{keyspace}\".raw WHERE key = ?")).await.unwrap();

    for round in 0..ROUNDS {
        let first = u64::try_from(round).unwrap() * ROWS;
        // Made beforehand, so that only writing is counted.
        let batches: Vec<ViewBatch> = (0..ROWS / BATCH_ROWS).map(|n| batch(first + n * BATCH_ROWS)).collect();
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            batches.iter().flat_map(|batch| &batch.rows).map(|row| (row.key.clone(), row.state.clone())).collect();
        let since = Instant::now();
        let inserting = stream::iter(rows).map(|row| {
            let (raw, insert) = (&raw, &insert);
            async move { raw.execute_unpaged(insert, row).await }
        });
        inserting.buffer_unordered(IN_FLIGHT).try_for_each(async |_| Ok(())).await.unwrap();
        tell("raw inserts, 128 in flight", ROWS, since.elapsed());
        let since = Instant::now();
        for batch in batches {
            store.write(batch).await.unwrap();
        }
        tell("write, batches of 5,000", ROWS, since.elapsed());

        let key = |n: u64| format!("user-{:06}/ES", n * 7_919 % ROWS).into_bytes();
        let keys: Vec<Vec<u8>> = (0..20_000).map(key).collect();
        let table = TableName("book-1".into());
        let since = Instant::now();
        assert!(store.read(&table, keys.clone()).await.unwrap().iter().all(Option::is_some));
        tell("read, 20,000 keys", 20_000, since.elapsed());
        let (mut single, mut raw_single) = (Vec::new(), Vec::new());
        for n in 0..SINGLE_READS {
            let since = Instant::now();
            raw.execute_unpaged(&select, (key(n),)).await.unwrap();
            raw_single.push(since.elapsed());
            let since = Instant::now();
            store.read(&table, vec![key(n)]).await.unwrap();
            single.push(since.elapsed());
        }
        tell_latency("raw read of one row", raw_single);
        tell_latency("read of one row", single);
        let mut flushes = Vec::new();
        for n in 0..1_000 {
            let mut one = batch(first + ROWS - BATCH_ROWS);
            one.rows.truncate(1);
            one.progress[0].1.next_offset += n % 2;
            let since = Instant::now();
            store.write(one).await.unwrap();
            flushes.push(since.elapsed());
        }
        tell_latency("write of one row with progress", flushes);
    }
    raw.query_unpaged(format!("DROP KEYSPACE \"{keyspace}\""), ()).await.unwrap();
}
