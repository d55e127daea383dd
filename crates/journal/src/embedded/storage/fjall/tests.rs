use std::{fs, io::Seek};

use super::*;

const MEMORY: Memory = Memory { cache_bytes: 1 << 20, memtables_bytes: 8 << 20 };

fn layout() -> Layout {
    Layout::with_partitions(2)
}

fn open(dir: &Path) -> Result<FjallStorage, LogError> {
    FjallStorage::open(dir, layout(), MEMORY, |_| Ok::<_, LogError>(()))
}

fn commit(storage: &FjallStorage, offset: u64) {
    let chunk = |slot| Chunk { slot, last_offset: offset, bytes: vec![offset.to_le_bytes()[0]; 30_000] };
    storage.commit(vec![chunk(0), chunk(3)]).unwrap();
}

fn offsets(storage: &FjallStorage, slot: usize) -> Vec<u64> {
    let mut found = Vec::new();
    storage
        .scan(slot, 0, &mut |offset, chunk| {
            assert!(chunk.iter().all(|&byte| byte == offset.to_le_bytes()[0]), "content of {offset}");
            found.push(offset);
            Ok(true)
        })
        .unwrap();
    found
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(std::io::SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// Writes five batches of equal size and returns the write-ahead file and where its content ends.
fn five_batches(dir: &Path) -> (PathBuf, u64) {
    let storage = open(dir).unwrap();
    for offset in 1..=5 {
        commit(&storage, offset);
    }
    drop(storage);
    let path = torn::newest(dir).unwrap().unwrap();
    let content = fs::read(&path).unwrap();
    let end = content.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    (path, end as u64)
}

#[test]
fn a_page_missing_in_the_last_batch_costs_that_batch_alone() {
    // Pages of the last batch, at its beginning, middle and end, are not on the disk; others are.
    for back in [8_192, 20_000, 30_000, 45_000, 59_000] {
        let dir = tempfile::tempdir().unwrap();
        let (path, end) = five_batches(dir.path());
        overwrite(&path, end - back, &[0; 4_096]);
        let storage = open(dir.path()).unwrap();
        for slot in [0, 3] {
            assert_eq!(offsets(&storage, slot), [1, 2, 3, 4], "{back} bytes before the end");
        }
        commit(&storage, 5);
        commit(&storage, 6);
        drop(storage);
        assert_eq!(offsets(&open(dir.path()).unwrap(), 3), [1, 2, 3, 4, 5, 6], "{back} bytes before the end");
    }
}

#[test]
fn an_unfinished_last_batch_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let (path, end) = five_batches(dir.path());
    overwrite(&path, end - 10_000, &[0; 10_000]);
    assert_eq!(offsets(&open(dir.path()).unwrap(), 0), [1, 2, 3, 4]);
}

#[test]
fn damage_elsewhere_is_refused_and_nothing_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (path, end) = five_batches(dir.path());
    // Within a body; a damaged header looks like the end of the file to fjall.
    overwrite(&path, end / 2 + 9_000, &[0xee; 16]);
    for _ in 0..2 {
        let refused = open(dir.path()).err().unwrap();
        assert!(!refused.retryable && refused.detail.contains("damaged"), "{refused:?}");
        let content = fs::read(&path).unwrap();
        assert_eq!(content.iter().rposition(|&byte| byte != 0).unwrap() as u64 + 1, end);
    }
}

#[test]
fn reopening_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    for offset in 1..=20 {
        commit(&storage, offset);
        storage.reopen().unwrap();
        assert_eq!(storage.last_offset(3).unwrap(), Some(offset));
    }
    assert_eq!(offsets(&storage, 0), (1..=20).collect::<Vec<_>>());
}

#[test]
fn what_is_written_in_many_tables_is_moved_and_not_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap();
    for offset in 1..=900 {
        commit(&storage, offset);
    }
    storage
        .with_open(|open| {
            let keyspace = open.keyspace(0).unwrap();
            assert!(keyspace.table_count() >= 2, "{} tables", keyspace.table_count());
            assert!(keyspace.sealed_memtable_count() <= 3 && keyspace.l0_table_count() <= 10);
            Ok(())
        })
        .unwrap();
    assert_eq!(offsets(&storage, 0), (1..=900).collect::<Vec<_>>());
}
