//! A view store that counts what is written to it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use hindcast_views::{Pending, Progress, Row, TableName, ViewBatch, ViewStore};

/// Counts rows and hands everything on.
pub(super) struct CountedViews {
    views: Arc<dyn ViewStore>,
    rows: AtomicU64,
    key_bytes: AtomicU64,
    state_bytes: AtomicU64,
}

/// What was written.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) rows: u64,
    /// Of a row, on average.
    pub(super) key_bytes: usize,
    /// Of a row, on average.
    pub(super) state_bytes: usize,
}

impl CountedViews {
    pub(super) fn new(views: Arc<dyn ViewStore>) -> Self {
        Self { views, rows: AtomicU64::new(0), key_bytes: AtomicU64::new(0), state_bytes: AtomicU64::new(0) }
    }

    pub(super) fn written(&self) -> Written {
        let rows = self.rows.load(Relaxed);
        let mean = |bytes: &AtomicU64| usize::try_from(bytes.load(Relaxed) / rows.max(1)).unwrap_or(usize::MAX);
        Written { rows, key_bytes: mean(&self.key_bytes), state_bytes: mean(&self.state_bytes) }
    }
}

impl ViewStore for CountedViews {
    fn read(&self, table: &TableName, keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        self.views.read(table, keys)
    }

    fn write(&self, batch: ViewBatch) -> Pending<'_, ()> {
        let sum =
            |bytes: &dyn Fn(&hindcast_views::RowWrite) -> usize| batch.rows.iter().map(bytes).sum::<usize>() as u64;
        self.rows.fetch_add(batch.rows.len() as u64, Relaxed);
        self.key_bytes.fetch_add(sum(&|row| row.key.len()), Relaxed);
        self.state_bytes.fetch_add(sum(&|row| row.state.len()), Relaxed);
        self.views.write(batch)
    }

    fn progress(&self, table: &TableName, partition: u16) -> Pending<'_, Option<Progress>> {
        self.views.progress(table, partition)
    }

    fn scan(&self, table: &TableName, after: Option<Vec<u8>>, limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        self.views.scan(table, after, limit)
    }

    fn drop_table(&self, table: &TableName) -> Pending<'_, ()> {
        self.views.drop_table(table)
    }

    fn health(&self) -> Result<(), String> {
        self.views.health()
    }
}
