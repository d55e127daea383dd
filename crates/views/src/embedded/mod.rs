//! The view store on one machine: fjall.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Pending, Progress, Row, TableName, ViewBatch, ViewStore};

/// How much memory the store takes and how many threads read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedViewsConfig {
    /// Memory for blocks of rows read from disk, bytes.
    pub cache_bytes: u64,
    /// Rows that are only in memory and in the write-ahead log, bytes, before they are written out as a table.
    pub memtable_bytes: u64,
    /// Threads that read rows.
    pub read_threads: u16,
    /// Reads that may wait for a thread; more are refused.
    pub read_queue: usize,
    /// Writes that may wait; more are refused.
    pub write_queue: usize,
}

impl Default for EmbeddedViewsConfig {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, memtable_bytes: 16 << 20, read_threads: 2, read_queue: 4_096, write_queue: 64 }
    }
}

/// Why the store can't be opened. One line, for operators.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

/// The view store in a folder of this machine.
#[derive(Debug)]
pub struct EmbeddedViews {}

impl EmbeddedViews {
    /// Opens the store in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder is in use, can't be written, is of another kind or version, or is damaged.
    pub fn open(_dir: &Path, _config: &EmbeddedViewsConfig) -> Result<Self, OpenError> {
        todo!()
    }
}

impl ViewStore for EmbeddedViews {
    fn read(&self, _table: &TableName, _keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        todo!()
    }

    fn write(&self, _batch: ViewBatch) -> Pending<'_, ()> {
        todo!()
    }

    fn progress(&self, _table: &TableName, _partition: u16) -> Pending<'_, Option<Progress>> {
        todo!()
    }

    fn scan(&self, _table: &TableName, _after: Option<Vec<u8>>, _limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        todo!()
    }

    fn health(&self) -> Result<(), String> {
        todo!()
    }
}
