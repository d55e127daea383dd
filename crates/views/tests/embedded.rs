//! What only the store on disk has to guarantee: crashes, damage, one owner.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests

use std::{
    fs::{self, OpenOptions},
    path::Path,
    thread,
    time::Duration,
};

use hindcast_domain::Position;
use hindcast_views::{
    Progress, RowWrite, TableName, ViewBatch, ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig, OpenError},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const TABLES: [&str; 3] = ["book-1", "activity-1", "admission-1"];
const USERS: u64 = 5;

fn open(dir: &Path) -> Result<EmbeddedViews, OpenError> {
    EmbeddedViews::open(dir, &EmbeddedViewsConfig::default())
}

fn table(name: &str) -> TableName {
    TableName(name.into())
}

/// What a projector writes for one record: a row in each table, then progress in each.
fn batch(offset: u64, state_bytes: usize) -> ViewBatch {
    let applied = Position { epoch: 0, partition: 0, offset };
    let key = format!("user-{}", offset % USERS).into_bytes();
    let mut state = vec![offset.to_le_bytes()[0]; state_bytes];
    state.extend(offset.to_be_bytes());
    let progress = Progress { journal_id: uuid::Uuid::from_u128(1), next_offset: offset + 1, position: applied };
    ViewBatch {
        rows: TABLES
            .map(|name| RowWrite { table: table(name), key: key.clone(), applied, state: state.clone() })
            .into(),
        progress: TABLES.map(|name| (table(name), progress)).into(),
        from_offset: offset,
    }
}

/// How many batches are in the store; fails unless it holds just what these batches wrote.
async fn whole_batches(store: &EmbeddedViews) -> u64 {
    let mut written = Vec::new();
    for name in TABLES {
        let progress = store.progress(&table(name), 0).await.unwrap();
        let next = progress.map_or(0, |progress| progress.next_offset);
        for user in 0..USERS {
            let rows = store.read(&table(name), vec![format!("user-{user}").into_bytes()]).await.unwrap();
            let newest = (0..next).rev().find(|offset| offset % USERS == user);
            let found = rows[0].as_ref().map(|row| row.applied.offset);
            assert_eq!(found, newest, "{name} of user {user} after {next} batches");
        }
        written.push(next);
    }
    assert!(written.iter().all(|next| *next == written[0]), "{written:?}");
    written[0]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The write-ahead log written to at present, and where its content ends.
fn write_ahead_log(dir: &Path) -> (std::path::PathBuf, u64) {
    let logs = fs::read_dir(dir.join("rows")).unwrap().map(|entry| entry.unwrap().path());
    let newest = logs.filter(|path| path.extension().is_some_and(|e| e == "jnl")).max_by_key(|path| {
        let number: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        number
    });
    let path = newest.unwrap();
    let content = fs::read(&path).unwrap();
    let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    (path, end as u64)
}

/// A disk writes sectors whole or not at all.
const SECTOR_BYTES: u64 = 512;

/// Loses what stands in the log from `end` on, as a crash may that comes before the operating system has written it.
fn lose_from(path: &Path, end: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(end).unwrap();
    file.set_len(length).unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    for offset in 0..20 {
        store.write(batch(offset, 1_000)).await.unwrap();
    }
    let before = store.scan(&table(TABLES[0]), None, 100).await.unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(whole_batches(&store).await, 20);
    assert_eq!(store.scan(&table(TABLES[0]), None, 100).await.unwrap(), before);
}

/// Rounds of crashes, each at a random place of what the operating system had not written yet.
#[tokio::test]
async fn a_crash_leaves_an_earlier_prefix_of_whole_batches() {
    let mut random = StdRng::seed_from_u64(11);
    // The second has rows in tables on disk too, not in the log alone.
    for (batches, state_bytes, rounds) in [(60, 500, 30), (40, 250_000, 3)] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        for offset in 0..batches {
            store.write(batch(offset, state_bytes)).await.unwrap();
        }
        // What a copy sees while tables are written out is no state that a crash can leave.
        let mut size = 0;
        while size != store.stats().disk_bytes {
            size = store.stats().disk_bytes;
            thread::sleep(Duration::from_millis(300));
        }
        let mut survived = Vec::new();
        for round in 0..rounds {
            let crashed = tempfile::tempdir().unwrap();
            copy(dir.path(), crashed.path());
            let (log, end) = write_ahead_log(crashed.path());
            lose_from(&log, if round == 0 { end } else { random.random_range(0..end / SECTOR_BYTES) * SECTOR_BYTES });
            let store = open(crashed.path()).unwrap();
            let prefix = whole_batches(&store).await;
            survived.push(prefix);
            // The store goes on from there.
            for offset in prefix..batches + 3 {
                store.write(batch(offset, state_bytes)).await.unwrap();
            }
            assert_eq!(whole_batches(&store).await, batches + 3);
        }
        assert_eq!(survived[0], batches, "nothing is lost when only the process ends");
        assert!(survived.iter().any(|prefix| *prefix < batches), "{survived:?}");
    }
}

#[tokio::test]
async fn damaged_views_are_put_aside_and_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let store = open(dir.path()).unwrap();
        for offset in 0..20 {
            store.write(batch(offset, 1_000)).await.unwrap();
        }
        drop(store);
        let (log, end) = write_ahead_log(dir.path());
        let mut content = fs::read(&log).unwrap();
        // Somewhere within the state of a row, so that nothing but the checksum can tell.
        let half = usize::try_from(end / 2).unwrap();
        let within = content[half..].windows(64).position(|bytes| bytes.iter().all(|byte| *byte == bytes[0])).unwrap();
        content[half + within + 32] ^= 0x55;
        fs::write(&log, content).unwrap();

        let store = open(dir.path()).unwrap();
        assert_eq!(whole_batches(&store).await, 0);
        assert!(dir.path().join("rows-damaged").is_dir());
        assert_eq!(store.health(), Ok(()));
    }
}

/// The process ended while the engine was being made.
#[tokio::test]
async fn an_interrupted_making_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    fs::rename(dir.path().join("rows"), dir.path().join("rows.new")).unwrap();
    fs::remove_file(dir.path().join("rows.new/version")).unwrap();
    let store = open(dir.path()).unwrap();
    store.write(batch(0, 10)).await.unwrap();
    assert_eq!(whole_batches(&store).await, 1);
}

#[tokio::test]
async fn a_folder_has_one_owner_and_one_kind() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let refused = open(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
    drop(store);

    let marker = dir.path().join("hindcast.json");
    fs::write(&marker, r#"{"kind":"views","version":1000}"#).unwrap();
    let refused = open(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("newer version"), "{refused}");
    fs::write(&marker, r#"{"kind":"log","version":1}"#).unwrap();
    let refused = open(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("holds log, not views"), "{refused}");
    assert!(!refused.contains('\n'));
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let config = EmbeddedViewsConfig { write_queue: 2, ..EmbeddedViewsConfig::default() };
    let store = EmbeddedViews::open(dir.path(), &config).unwrap();
    // Taken in at once, whether or not anybody waits for the answer.
    let writing: Vec<_> =
        (0..50).map(|offset| store.write(ViewBatch { from_offset: 0, ..batch(offset, 500_000) })).collect();
    let mut refused = 0;
    for write in writing {
        if let Err(error) = write.await {
            assert!(error.retryable && error.detail.contains("waiting already"), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    store.write(ViewBatch { from_offset: 0, ..batch(50, 10) }).await.unwrap();
}
