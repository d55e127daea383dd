//! What every adapter of the port is tested with.
//!
//! Each function takes an empty store. Calls that fail are repeated, as the port's users do, so the same suite runs on
//! an adapter and on one that fails now and then.

#![allow(clippy::panic, clippy::unwrap_used)] // a suite of tests: what does not hold is a panic

use std::future::Future;

use hindcast_domain::Position;
use uuid::Uuid;

use crate::{Progress, Row, RowWrite, TableName, ViewBatch, ViewError, ViewStore};

/// Makes one test of each function of the suite. `$make` is an expression for an empty store and whatever has to
/// outlive it, for example its folder: `(store, rest)`.
#[macro_export]
macro_rules! view_store_contract {
    ($make:expr) => {
        $crate::view_store_contract!($make;
            rows_are_read_back, absent_is_absent, rows_never_go_back, the_same_again_changes_nothing,
            progress_never_goes_back, nothing_builds_on_what_was_lost, another_journal_replaces_progress, tables_are_apart, scans_page_through_each_row_once,
            progress_is_never_ahead_of_rows, writers_at_once_leave_the_newest, nothing_is_left_of_a_dropped_table);
    };
    ($make:expr; $($name:ident),*) => {
        $(#[tokio::test]
        async fn $name() {
            let (store, _rest) = $make;
            $crate::contract::$name(&store).await;
        })*
    };
}

/// How often a call is repeated before a test gives up.
const ATTEMPTS: usize = 200;

async fn insist<T, F: Future<Output = Result<T, ViewError>>>(mut call: impl FnMut() -> F) -> T {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match call().await {
            Ok(value) => return value,
            Err(error) => {
                assert!(error.retryable, "{error}");
                last = Some(error);
            }
        }
    }
    panic!("{ATTEMPTS} attempts failed, the last one: {last:?}");
}

async fn write(store: &dyn ViewStore, batch: &ViewBatch) {
    insist(|| store.write(batch.clone())).await;
}

async fn read(store: &dyn ViewStore, name: &str, key: &[u8]) -> Option<Row> {
    let table = table(name);
    let mut rows = insist(|| store.read(&table, vec![key.to_vec()])).await;
    assert_eq!(rows.len(), 1, "one answer for one key");
    rows.remove(0)
}

async fn progress(store: &dyn ViewStore, name: &str, partition: u16) -> Option<Progress> {
    let table = table(name);
    insist(|| store.progress(&table, partition)).await
}

fn table(name: &str) -> TableName {
    TableName(name.into())
}

fn at(epoch: u8, offset: u64) -> Position {
    Position { epoch, partition: 3, offset }
}

fn row(name: &str, key: &[u8], applied: Position, state: &[u8]) -> RowWrite {
    RowWrite { table: table(name), key: key.to_vec(), applied, state: state.to_vec() }
}

fn rows(rows: impl Into<Vec<RowWrite>>) -> ViewBatch {
    ViewBatch { rows: rows.into(), progress: Vec::new(), from_offset: 0 }
}

fn progressed(journal: u128, next_offset: u64) -> Progress {
    Progress { journal_id: Uuid::from_u128(journal), next_offset, position: at(0, next_offset.saturating_sub(1)) }
}

fn only_progress(name: &str, progress: Progress) -> ViewBatch {
    ViewBatch { rows: Vec::new(), progress: vec![(table(name), progress)], from_offset: 0 }
}

/// Rows of any bytes come back byte for byte, in the order of the keys asked for.
pub async fn rows_are_read_back(store: &dyn ViewStore) {
    let states: [&[u8]; 4] = [b"", b"\0", &[0xff; 300], &[7; 100_000]];
    let keys: [&[u8]; 4] = [b"a", b"a\0b", &[0xff, 0, 1], &[b'k'; 200]];
    let batch = keys.iter().zip(states).map(|(key, state)| row("t", key, at(0, 1), state)).collect::<Vec<_>>();
    write(store, &rows(batch)).await;
    let asked: Vec<Vec<u8>> = keys.iter().rev().map(|key| key.to_vec()).collect();
    let table = table("t");
    let found = insist(|| store.read(&table, asked.clone())).await;
    let expected: Vec<_> =
        states.iter().rev().map(|state| Some(Row { applied: at(0, 1), state: state.to_vec() })).collect();
    assert_eq!(found, expected);
}

/// What was never written is not there.
pub async fn absent_is_absent(store: &dyn ViewStore) {
    assert_eq!(read(store, "t", b"k").await, None);
    assert_eq!(progress(store, "t", 0).await, None);
    let table = table("t");
    assert_eq!(insist(|| store.scan(&table, None, 10)).await, Vec::new());
    assert_eq!(insist(|| store.read(&table, Vec::new())).await, Vec::new());
    insist(|| store.write(ViewBatch::default())).await;
}

/// A write below the stored version changes nothing, whatever else is in the same batch.
pub async fn rows_never_go_back(store: &dyn ViewStore) {
    write(store, &rows([row("t", b"k", at(0, 10), b"new")])).await;
    write(store, &rows([row("t", b"k", at(0, 9), b"old"), row("t", b"other", at(0, 9), b"other")])).await;
    assert_eq!(read(store, "t", b"k").await, Some(Row { applied: at(0, 10), state: b"new".to_vec() }));
    assert_eq!(read(store, "t", b"other").await, Some(Row { applied: at(0, 9), state: b"other".to_vec() }));
    // A higher epoch is newer, whatever the offset.
    write(store, &rows([row("t", b"k", at(1, 2), b"newest")])).await;
    write(store, &rows([row("t", b"k", at(0, 11), b"late")])).await;
    assert_eq!(read(store, "t", b"k").await, Some(Row { applied: at(1, 2), state: b"newest".to_vec() }));
}

/// A batch written twice is as if it had been written once.
pub async fn the_same_again_changes_nothing(store: &dyn ViewStore) {
    let batch = ViewBatch {
        rows: vec![row("t", b"k", at(0, 5), b"state")],
        progress: vec![(table("t"), progressed(1, 6)), (table("u"), progressed(1, 6))],
        from_offset: 0,
    };
    for _ in 0..3 {
        write(store, &batch).await;
        assert_eq!(read(store, "t", b"k").await, Some(Row { applied: at(0, 5), state: b"state".to_vec() }));
        assert_eq!(progress(store, "t", 3).await, Some(progressed(1, 6)));
        assert_eq!(progress(store, "u", 3).await, Some(progressed(1, 6)));
    }
}

/// A stale owner of a partition doesn't take its progress back.
pub async fn progress_never_goes_back(store: &dyn ViewStore) {
    write(store, &only_progress("t", progressed(1, 20))).await;
    write(store, &only_progress("t", progressed(1, 12))).await;
    assert_eq!(progress(store, "t", 3).await, Some(progressed(1, 20)));
    write(store, &only_progress("t", progressed(1, 21))).await;
    assert_eq!(progress(store, "t", 3).await, Some(progressed(1, 21)));
    assert_eq!(progress(store, "t", 2).await, None);
}

/// A batch whose rows begin after the stored progress changes nothing: what lies between would be missing for ever.
pub async fn nothing_builds_on_what_was_lost(store: &dyn ViewStore) {
    let batch = |from_offset, next_offset: u64| ViewBatch {
        rows: vec![row("t", b"k", at(0, next_offset - 1), b"state")],
        progress: vec![(table("t"), progressed(1, next_offset))],
        from_offset,
    };
    write(store, &batch(0, 5)).await;
    for _ in 0..20 {
        let refused = store.write(batch(6, 9)).await.unwrap_err();
        assert!(refused.retryable, "{refused}");
        assert_eq!(progress(store, "t", 3).await, Some(progressed(1, 5)));
    }
    for (from_offset, next_offset) in [(5, 9), (2, 10)] {
        write(store, &batch(from_offset, next_offset)).await;
        assert_eq!(progress(store, "t", 3).await, Some(progressed(1, next_offset)));
    }
    // Another journal's progress is none at all.
    let mut foreign = batch(3, 20);
    foreign.progress = vec![(table("t"), progressed(2, 20))];
    assert!(store.write(foreign).await.is_err());
}

/// Progress in one journal says nothing of another.
pub async fn another_journal_replaces_progress(store: &dyn ViewStore) {
    write(store, &only_progress("t", progressed(1, 20))).await;
    write(store, &only_progress("t", progressed(2, 4))).await;
    assert_eq!(progress(store, "t", 3).await, Some(progressed(2, 4)));
}

/// Tables don't see each other's rows, also when one's name begins like another's.
pub async fn tables_are_apart(store: &dyn ViewStore) {
    write(
        store,
        &rows([
            row("t", b"k", at(0, 1), b"of t"),
            row("t2", b"k", at(0, 2), b"of t2"),
            row("t", b"2k", at(0, 3), b"another of t"),
        ]),
    )
    .await;
    assert_eq!(read(store, "t", b"k").await.map(|row| row.state), Some(b"of t".to_vec()));
    assert_eq!(read(store, "t2", b"k").await.map(|row| row.state), Some(b"of t2".to_vec()));
    let table = table("t");
    let found = insist(|| store.scan(&table, None, 10)).await;
    let mut keys: Vec<&[u8]> = found.iter().map(|(key, _)| key.as_slice()).collect();
    keys.sort_unstable();
    assert_eq!(keys, [b"2k".as_slice(), b"k"]);
}

/// Pages of a scan follow each other without gaps, in any order but always the same.
pub async fn scans_page_through_each_row_once(store: &dyn ViewStore) {
    let keys: Vec<Vec<u8>> =
        (0..100_u8).map(|n| [vec![n / 7], vec![0; usize::from(n % 3)], vec![n]].concat()).collect();
    write(store, &rows(keys.iter().map(|key| row("t", key, at(0, 1), key)).collect::<Vec<_>>())).await;
    let mut sorted = keys.clone();
    sorted.sort();
    for limit in [1, 7, 100, 101] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let table = table("t");
            let page = insist(|| store.scan(&table, after.clone(), limit)).await;
            assert!(page.len() <= limit);
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            found.extend(page.into_iter().map(|(key, row)| {
                assert_eq!(key, row.state, "a row stands under its key");
                key
            }));
        }
        found.sort();
        assert_eq!(found, sorted, "pages of {limit}");
    }
}

/// Whoever reads progress and then rows finds rows that are at least as new.
pub async fn progress_is_never_ahead_of_rows(store: &dyn ViewStore) {
    const LAST: u64 = 150;
    let writing = async {
        for offset in 1..=LAST {
            write(
                store,
                &ViewBatch {
                    rows: vec![
                        row("book", b"k", at(0, offset), &offset.to_be_bytes()),
                        row("admission", b"k", at(0, offset), &offset.to_be_bytes()),
                    ],
                    progress: vec![
                        (table("book"), progressed(1, offset + 1)),
                        (table("admission"), progressed(1, offset + 1)),
                    ],
                    from_offset: 0,
                },
            )
            .await;
            tokio::task::yield_now().await;
        }
    };
    let reading = async {
        loop {
            for name in ["book", "admission"] {
                let covered = progress(store, name, 3).await.map(|progress| progress.position);
                let found = read(store, name, b"k").await.map(|row| row.applied);
                if let Some(covered) = covered {
                    assert!(found.is_some_and(|found| covered.is_at_or_before(found)), "{covered} {found:?}");
                }
            }
            if progress(store, "admission", 3).await == Some(progressed(1, LAST + 1)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writing, reading);
}

/// Several writers of the same keys, in any order: the newest row is what stays.
pub async fn writers_at_once_leave_the_newest(store: &dyn ViewStore) {
    let writer = |start: u64| async move {
        // 37 and 101 have no common factor, so each writer goes through all offsets in an order of its own.
        for step in 0..101 {
            let offset = (start + step * 37) % 101;
            let state = offset.to_be_bytes();
            write(store, &rows([row("t", b"a", at(0, offset), &state), row("t", b"b", at(0, offset), &state)])).await;
        }
    };
    tokio::join!(writer(0), writer(13), writer(50));
    for key in [b"a", b"b"] {
        let found = read(store, "t", key).await;
        assert_eq!(found, Some(Row { applied: at(0, 100), state: 100_u64.to_be_bytes().to_vec() }));
    }
}

/// Also a table with more rows than are removed at once; what is written afterwards begins from nothing.
pub async fn nothing_is_left_of_a_dropped_table(store: &dyn ViewStore) {
    const ROWS: u64 = 1_500;
    let kept =
        ViewBatch { progress: vec![(table("b"), progressed(1, 4))], ..rows([row("b", b"k", at(0, 3), b"kept")]) };
    write(store, &kept).await;
    for state in [b"old", b"new"] {
        for chunk in 0..3 {
            let keys = (ROWS / 3 * chunk)..(ROWS / 3 * (chunk + 1));
            let written = keys.map(|n| row("a", &n.to_be_bytes(), at(0, n), state)).collect::<Vec<_>>();
            write(store, &rows(written)).await;
        }
        write(store, &only_progress("a", progressed(1, ROWS))).await;
        assert_eq!(progress(store, "a", 3).await, Some(progressed(1, ROWS)));
        let read_back = read(store, "a", &7_u64.to_be_bytes()).await;
        assert_eq!(
            read_back.map(|row| row.state),
            Some(state.to_vec()),
            "versions of what was there before count no more"
        );

        insist(|| store.drop_table(&table("a"))).await;
        assert_eq!(progress(store, "a", 3).await, None);
        assert_eq!(read(store, "a", &7_u64.to_be_bytes()).await, None);
        assert!(insist(|| store.scan(&table("a"), None, 10)).await.is_empty());
        insist(|| store.drop_table(&table("a"))).await;
    }
    assert_eq!(read(store, "b", b"k").await.map(|row| row.state), Some(b"kept".to_vec()));
    assert_eq!(progress(store, "b", 3).await, Some(progressed(1, 4)));
    insist(|| store.drop_table(&table("never-there"))).await;
}
