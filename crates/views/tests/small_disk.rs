//! A real disk that really fills up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

use std::{
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use hindcast_domain::Position;
use hindcast_views::{
    RowWrite, TableName, ViewBatch, ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const USERS: u64 = 3_000;

/// A row that can't be packed.
fn batch(offset: u64, random: &mut StdRng) -> ViewBatch {
    let applied = Position { epoch: 0, partition: 0, offset };
    let mut state = vec![0; 20_000];
    random.fill(&mut state[..]);
    let key = (offset % USERS).to_be_bytes().to_vec();
    ViewBatch { rows: vec![RowWrite { table: table(), key, applied, state }], ..ViewBatch::default() }
}

fn table() -> TableName {
    TableName("t".into())
}

#[test]
fn a_real_disk_fills_up_and_is_freed() {
    let filled = hindcast_test_services::on_small_disk("a_real_disk_fills_up_and_is_freed", 160, |disk| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(fill_up(disk));
    });
    filled.unwrap_or_else(|error| panic!("{error}"));
}

async fn fill_up(disk: &Path) {
    // With more room the engine's threads meet the full disk, with little the write-ahead log does.
    for ballast_mib in [40, 100, 140] {
        let dir = tempfile::tempdir_in(disk).unwrap();
        let ballast = disk.join("ballast");
        let mut file = fs::File::create(&ballast).unwrap();
        for _ in 0..ballast_mib {
            file.write_all(&vec![1; 1 << 20]).unwrap();
        }
        drop(file);
        let mut random = StdRng::seed_from_u64(ballast_mib);
        let store = EmbeddedViews::open(dir.path(), &EmbeddedViewsConfig::default()).unwrap();
        let mut acknowledged = 0;
        let failed = loop {
            match store.write(batch(acknowledged + 1, &mut random)).await {
                Ok(()) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        eprintln!("full after {acknowledged} rows: {failed}");
        assert!(failed.retryable);
        assert!(store.health().is_err());
        let key = (acknowledged % USERS).to_be_bytes().to_vec();
        let newest = store.read(&table(), vec![key]).await.unwrap().remove(0).unwrap();
        assert!(newest.applied.offset >= acknowledged, "reads go on");

        fs::remove_file(&ballast).unwrap();
        let since = Instant::now();
        while store.health().is_err() {
            assert!(since.elapsed() < Duration::from_secs(30), "{:?}", store.health());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        eprintln!("written again after {:?}", since.elapsed());
        for _ in 0..100 {
            store.write(batch(acknowledged + 1, &mut random)).await.unwrap();
            acknowledged += 1;
        }
        drop(store);
        let store = EmbeddedViews::open(dir.path(), &EmbeddedViewsConfig::default()).unwrap();
        assert!(!dir.path().join("rows-damaged").exists());
        for offset in acknowledged.saturating_sub(USERS - 1).max(1)..=acknowledged {
            let key = (offset % USERS).to_be_bytes().to_vec();
            let row = store.read(&table(), vec![key]).await.unwrap().remove(0);
            assert_eq!(row.map(|row| row.applied.offset), Some(offset));
        }
    }
}
