//! One opened fjall database with all tables in it.
//!
//! All tables share one keyspace. fjall writes a keyspace's memtable out as a whole, between two batches, so what is on
//! disk is always some prefix of the batches, whatever part of the write-ahead log was lost with the power. With a
//! keyspace per table one could be ahead of another, an admission ahead of its book, and records would be skipped that
//! the book has never seen. That is why no write has to wait for an fsync: after a crash the store is at an earlier
//! prefix, progress and rows alike, and the projector goes on from there.

use std::{
    io::ErrorKind,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use fjall::{
    AbstractTree, CompressionType, Database, Keyspace, KeyspaceCreateOptions, LsmError, PersistMode,
    config::PartitioningPolicy,
};
use hindcast_background::giving_way;

use super::{config::EmbeddedViewsConfig, layout};
use crate::{Progress, Row, TableName, ViewBatch, ViewError, encoding};

/// Rows in memory before they are written out, but for the last batch.
pub(super) const MEMTABLE_BYTES: u64 = 16 << 20;
/// Memtables that wait to be written out: one more is sealed only when there are fewer.
const MOST_SEALED: usize = 2;
/// Rows in the write-ahead log that the disk need not have yet, but for the last batch. The next write has it take them, so
/// that nobody who waits for the last one waits for that too.
///
/// fjall syncs that log each time a memtable is written out. Where the journal is on the same disk, its syncs, for which
/// clients wait, took 8 ms while 16 MiB were on their way at once, instead of 0.2 ms.
const UNSYNCED_BYTES: u64 = 1 << 20;
/// Tables that wait to be merged with others: the same.
const MOST_RUNS: usize = 12;
/// Write-ahead log on disk; it is dropped as memtables are written out.
const WRITE_AHEAD_BYTES: u64 = 128 << 20;
/// Whether tables of a level have an index in parts, from the level of fresh tables down.
///
/// A merge keeps the key of each entry of the index that it has not written out yet, and a key keeps the block that it was
/// read from. Rows are about as large as blocks: with an index in one part a merge held the whole table that it wrote.
const INDEX_IN_PARTS: [bool; 2] = [false, true];
/// One writes memtables out at once, the other merges tables.
const WORKERS: usize = 2;
/// Of the files that stay open; leaves the process's own limit to connections.
const OPEN_FILES: usize = 128;

/// Keys removed in one write: others wait no longer than for that.
const DROPPED_AT_ONCE: usize = 1_024;

/// How much of a table is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// There may be more.
    Some,
    All,
}

/// A write that was decided on. The writing thread commits it before it prepares another.
pub(super) struct Prepared {
    batch: fjall::OwnedWriteBatch,
    row_bytes: u64,
}

pub(super) struct Engine {
    database: Database,
    rows: Keyspace,
    /// Bytes of rows written since the write-ahead log was synced last.
    unsynced_bytes: AtomicU64,
}

impl Engine {
    pub(super) fn open(path: &Path, config: &EmbeddedViewsConfig) -> fjall::Result<Self> {
        let database = Database::builder(path)
            .cache_size(config.cache_bytes)
            .worker_threads(WORKERS)
            .max_cached_files(Some(OPEN_FILES))
            .max_journaling_size(WRITE_AHEAD_BYTES)
            // A row is written to the log once and read from it after a crash only: packing it costs more than it saves.
            .journal_compression(CompressionType::None);
        let database = giving_way(|| database.open())?;
        // Sealed by us: see `make_room`.
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(u64::MAX)
                .index_block_partitioning_policy(PartitioningPolicy::new(INDEX_IN_PARTS))
        };
        let rows = database.keyspace("views", options)?;
        Ok(Self { database, rows, unsynced_bytes: AtomicU64::new(0) })
    }

    /// Writes what was prepared, and has the disk take what was written lately if that is much.
    pub(super) fn commit(&self, prepared: Prepared) -> fjall::Result<()> {
        if self.unsynced_bytes.load(Ordering::Relaxed) >= UNSYNCED_BYTES {
            self.database.persist(PersistMode::SyncData)?;
            self.unsynced_bytes.store(0, Ordering::Relaxed);
        }
        self.make_room()?;
        prepared.batch.commit()?;
        self.unsynced_bytes.fetch_add(prepared.row_bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Seals the memtable when it is full.
    ///
    /// Left to itself fjall seals memtables as well, and makes a commit wait when too many of them are not written out
    /// yet: in a loop that doesn't notice when the thread that should write them has died, of a full disk for example.
    fn make_room(&self) -> fjall::Result<()> {
        if self.rows.tree.active_memtable().size() < MEMTABLE_BYTES {
            return Ok(());
        }
        while self.rows.sealed_memtable_count() >= MOST_SEALED || self.rows.l0_table_count() >= MOST_RUNS {
            // Fails if a thread of the engine has died.
            self.database.persist(PersistMode::Buffer)?;
            thread::sleep(Duration::from_millis(1));
        }
        self.rows.rotate_memtable().map(drop)
    }

    pub(super) fn read(&self, table: &TableName, keys: &[Vec<u8>]) -> Result<Vec<Option<Row>>, ViewError> {
        keys.iter()
            .map(|key| {
                let stored =
                    self.rows.get(layout::row_key(table, key)?).map_err(|error| failed("read a row", &error))?;
                stored.map(|value| encoding::decode_row(&value).ok_or_else(|| damaged_value(table))).transpose()
            })
            .collect()
    }

    pub(super) fn progress(&self, table: &TableName, partition: u16) -> Result<Option<Progress>, ViewError> {
        self.stored_progress(table, &layout::progress_key(table, partition)?)
    }

    fn stored_progress(&self, table: &TableName, key: &[u8]) -> Result<Option<Progress>, ViewError> {
        let stored = self.rows.get(key).map_err(|error| failed("read progress", &error))?;
        stored.map(|value| encoding::decode_progress(&value).ok_or_else(|| damaged_value(table))).transpose()
    }

    pub(super) fn scan(
        &self,
        table: &TableName,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ViewError> {
        let mut from = layout::row_key(table, after.unwrap_or_default())?;
        if after.is_some() {
            from.push(0);
        }
        let mut found = Vec::new();
        for entry in self.rows.range(from..layout::end_of_rows(table)?).take(limit) {
            let (key, value) = entry.into_inner().map_err(|error| failed("read rows", &error))?;
            let row = encoding::decode_row(&value).ok_or_else(|| damaged_value(table))?;
            found.push((layout::key_of_row(table, &key).to_vec(), row));
        }
        Ok(found)
    }

    /// What of a batch changes the store: rows that are newer than the stored ones.
    ///
    /// The stored version has to be read for that. The rows written last are in memory and those never written are
    /// told by a filter, so the disk is seldom asked.
    pub(super) fn prepare(&self, batch: ViewBatch) -> Result<Prepared, ViewError> {
        let items = batch.rows.len() + batch.progress.len();
        let mut newer =
            fjall::OwnedWriteBatch::with_capacity(self.database.clone(), items).durability(Some(PersistMode::Buffer));
        let mut advanced = Vec::with_capacity(batch.progress.len());
        for (table, progress) in &batch.progress {
            let key = layout::progress_key(table, progress.position.partition)?;
            let stored = self.stored_progress(table, &key)?;
            if batch.leaves_gap(stored.as_ref(), progress) {
                return Err(ViewError::gap(table, stored.as_ref(), batch.from_offset));
            }
            if stored.is_none_or(|stored| stored.may_become(progress)) {
                advanced.push((key, encoding::encode_progress(progress)));
            }
        }
        let mut row_bytes = 0;
        for row in batch.rows {
            let key = layout::row_key(&row.table, &row.key)?;
            let stored = self.rows.get(&key).map_err(|error| failed("read a row", &error))?;
            let stored = stored.map(|value| encoding::applied_of(&value).ok_or_else(|| damaged_value(&row.table)));
            if stored.transpose()?.is_none_or(|stored| stored.order() < row.applied.order()) {
                let value = encoding::encode_row(row.state, row.applied);
                row_bytes += value.len() as u64;
                newer.insert(&self.rows, key, value);
            }
        }
        // Last, as readers may see a batch half applied.
        for (key, progress) in advanced {
            newer.insert(&self.rows, key, progress);
        }
        Ok(Prepared { batch: newer, row_bytes })
    }

    /// Removes a table's progress, and some of its rows once there is none.
    pub(super) fn prepare_drop(&self, table: &TableName) -> Result<(Prepared, Dropped), ViewError> {
        let mut removal = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), DROPPED_AT_ONCE)
            .durability(Some(PersistMode::Buffer));
        let rows = layout::row_key(table, &[])?..layout::end_of_rows(table)?;
        let prepared = |batch| Prepared { batch, row_bytes: 0 };
        let mut removed = 0;
        for range in [layout::range_of_progress(table)?, rows] {
            for entry in self.rows.range(range).take(DROPPED_AT_ONCE) {
                let key = entry.key().map_err(|error| failed("read rows", &error))?;
                removal.remove(&self.rows, key);
                removed += 1;
            }
            if removed > 0 {
                return Ok((prepared(removal), Dropped::Some));
            }
        }
        Ok((prepared(removal), Dropped::All))
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.database.disk_space().unwrap_or_default()
    }
}

/// Why something could not be done, for operators.
pub(super) fn failed(to_do: &str, error: &fjall::Error) -> ViewError {
    let hint = if is_damage(error) { "; the stored views are damaged and have to be folded anew" } else { "" };
    ViewError { retryable: !is_damage(error), detail: format!("the view store can't {to_do}: {error}{hint}") }
}

fn damaged_value(table: &TableName) -> ViewError {
    ViewError { retryable: false, detail: format!("{}: a stored value is damaged and has to be folded anew", table.0) }
}

/// Whether what is on disk is wrong, rather than not readable at present.
pub(super) fn is_damage(error: &fjall::Error) -> bool {
    let torn = |error: &std::io::Error| matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData);
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(LsmError::Io(error)) => torn(error),
        fjall::Error::Storage(_)
        | fjall::Error::JournalRecovery(_)
        | fjall::Error::Decompress(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::InvalidTag(_)
        | fjall::Error::Unrecoverable => true,
        // A folder of a newer version is not damaged; the rest has nothing to do with the disk.
        _ => false,
    }
}
