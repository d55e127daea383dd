//! The view-store port: one row per key in each generation's table, and how far each partition was folded.
//!
//! What an implementer MUST guarantee (the contract suite checks each):
//! - A row never goes back: a write whose version is below that of the stored row changes nothing. Progress of one
//!   journal doesn't go back either, whoever writes it.
//! - Within one `write`, rows become visible no later than the progress that covers them, and the rows of the last table
//!   given no earlier than all rows before them; a crash leaves rows ahead of progress, never progress ahead of rows.
//! - What was written is read back byte for byte; a row read after a completed write is that one or a newer one.
//! - Writing the same again changes nothing.
//! - Of a dropped table nothing is left: what is written to it afterwards is as if it had never been there. A drop that was
//!   cut short has taken progress first, so that nobody goes on from it; dropping again finishes it.
//! - A store that can lose what it acknowledged (by starting anew, or on a machine of its own) refuses a write whose
//!   `from_offset` is beyond the progress it has. The writer then reads progress again and folds from there; without
//!   that, rows lost before it would be missing for ever.

use std::{future::Future, pin::Pin};

use hindcast_domain::Position;

/// Names one generation's table, for example `book-5f3a9c0d1e2b4a67`: projection and fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName(pub std::sync::Arc<str>);

/// A row to write.
#[derive(Debug, Clone)]
pub struct RowWrite {
    /// The generation's table.
    pub table: TableName,
    /// The row's key.
    pub key: Vec<u8>,
    /// Position of the last record routed to the key: the version of the row.
    pub applied: Position,
    /// The encoded state.
    pub state: Vec<u8>,
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Position of the last record routed to the key.
    pub applied: Position,
    /// The encoded state.
    pub state: Vec<u8>,
}

/// How far a partition was folded into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    /// The journal it was folded from.
    pub journal_id: uuid::Uuid,
    /// Offset of the next record to fold.
    pub next_offset: u64,
    /// Position of the last record folded.
    pub position: Position,
}

/// What a projector writes in one go: rows, those of the last table given after all others, then progress.
#[derive(Debug, Clone, Default)]
pub struct ViewBatch {
    /// Rows, each key at most once: books and activities in any order, then admissions.
    pub rows: Vec<RowWrite>,
    /// The partition's progress in each table.
    pub progress: Vec<(TableName, Progress)>,
    /// Offset of the first record that the rows were folded from since the writer last knew the store's progress.
    pub from_offset: u64,
}

/// Why the store could not do what it was asked for. Every call can be repeated.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct ViewError {
    /// Whether the same call can succeed later.
    pub retryable: bool,
    /// For operators: what happened, where, what to do. Never shown to clients.
    pub detail: String,
}

/// A future of the store.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ViewError>> + Send + 'a>>;

impl Progress {
    /// Whether a store that holds this progress takes another one of the same partition in its place.
    #[must_use]
    pub fn may_become(&self, other: &Self) -> bool {
        self.journal_id != other.journal_id || self.next_offset <= other.next_offset
    }
}

impl ViewBatch {
    /// Whether records between the progress that a table has and the batch would be skipped.
    #[must_use]
    pub fn leaves_gap(&self, stored: Option<&Progress>, progress: &Progress) -> bool {
        let of_journal = stored.filter(|stored| stored.journal_id == progress.journal_id);
        self.from_offset > of_journal.map_or(0, |stored| stored.next_offset)
    }
}

impl ViewError {
    /// A batch that builds on what the store does not have.
    #[must_use]
    pub fn gap(table: &TableName, stored: Option<&Progress>, from_offset: u64) -> Self {
        let stored = stored.map_or(0, |stored| stored.next_offset);
        Self::retryable(format!("{}: rows from offset {from_offset} on, but progress is {stored}", table.0))
    }

    /// A failure that passes by itself.
    #[must_use]
    pub fn retryable(detail: impl Into<String>) -> Self {
        Self { retryable: true, detail: detail.into() }
    }
}

/// The view store.
pub trait ViewStore: Send + Sync + 'static {
    /// Reads rows by key, in the order of the keys. Does not block the caller's thread.
    fn read(&self, table: &TableName, keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>>;

    /// Writes rows, then progress, and returns when a reader sees both. Does not block the caller's thread.
    fn write(&self, batch: ViewBatch) -> Pending<'_, ()>;

    /// How far a partition was folded into a table; `None` if it never was. Does not block the caller's thread.
    fn progress(&self, table: &TableName, partition: u16) -> Pending<'_, Option<Progress>>;

    /// Up to `limit` rows of a table in the store's own order, after a key that was the last of an earlier page; pages that
    /// follow each other hold each row once. Does not block the caller's thread.
    fn scan(&self, table: &TableName, after: Option<Vec<u8>>, limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>>;

    /// Removes a table with its progress; one that is not there is dropped already. Nobody may be writing to it. Other
    /// tables are written meanwhile. Does not block the caller's thread.
    fn drop_table(&self, table: &TableName) -> Pending<'_, ()>;

    /// Whether rows can be written at present; the text says why not.
    fn health(&self) -> Result<(), String>;
}
