//! A view store in memory, for the tests of what works with one.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Pending, Progress, Row, TableName, ViewBatch, ViewError, ViewStore};

/// A view store in memory. What was written is gone with it.
#[derive(Debug, Default)]
pub struct MemoryViews {
    tables: Mutex<HashMap<TableName, Table>>,
}

#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<Vec<u8>, Row>,
    progress: HashMap<u16, Progress>,
}

impl MemoryViews {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, HashMap<TableName, Table>> {
        // A panic elsewhere leaves the maps as consistent as a crash would.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, batch: ViewBatch) -> Result<(), ViewError> {
        let mut tables = self.tables();
        for (table, progress) in &batch.progress {
            let stored = tables.get(table).and_then(|table| table.progress.get(&progress.position.partition));
            if batch.leaves_gap(stored, progress) {
                return Err(ViewError::gap(table, stored, batch.from_offset));
            }
        }
        for row in batch.rows {
            let rows = &mut tables.entry(row.table).or_default().rows;
            if rows.get(&row.key).is_none_or(|stored| stored.applied.order() < row.applied.order()) {
                rows.insert(row.key, Row { applied: row.applied, state: row.state });
            }
        }
        for (table, progress) in batch.progress {
            let stored = &mut tables.entry(table).or_default().progress;
            if stored.get(&progress.position.partition).is_none_or(|stored| stored.may_become(&progress)) {
                stored.insert(progress.position.partition, progress);
            }
        }
        Ok(())
    }

    /// Loses everything, as a store does whose disk was replaced.
    pub fn lose_everything(&self) {
        self.tables().clear();
    }
}

impl ViewStore for MemoryViews {
    fn read(&self, table: &TableName, keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        let tables = self.tables();
        let rows = tables.get(table).map(|table| &table.rows);
        let found = keys.iter().map(|key| rows.and_then(|rows| rows.get(key)).cloned()).collect();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn write(&self, batch: ViewBatch) -> Pending<'_, ()> {
        Box::pin(std::future::ready(self.apply(batch)))
    }

    fn progress(&self, table: &TableName, partition: u16) -> Pending<'_, Option<Progress>> {
        let progress = self.tables().get(table).and_then(|table| table.progress.get(&partition)).copied();
        Box::pin(std::future::ready(Ok(progress)))
    }

    fn scan(&self, table: &TableName, after: Option<Vec<u8>>, limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.tables().get(table).map_or_else(Vec::new, |table| {
            let range = table.rows.range::<Vec<u8>, _>((from, Bound::Unbounded));
            range.take(limit).map(|(key, row)| (key.clone(), row.clone())).collect()
        });
        Box::pin(std::future::ready(Ok(found)))
    }

    fn drop_table(&self, table: &TableName) -> Pending<'_, ()> {
        self.tables().remove(table);
        Box::pin(std::future::ready(Ok(())))
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }
}
