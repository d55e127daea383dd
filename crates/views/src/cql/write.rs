//! Writing a batch: rows, then the rows of the last table, then progress.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};

use super::{
    Store,
    failure::Failure,
    requests::Purpose,
    tables::{Table, progress_key, row_key},
    version,
};
use crate::{Progress, RowWrite, TableName, ViewBatch, ViewError, encoding};

const WRITE: &str = "write a row";
const WRITE_PROGRESS: &str = "write progress";

/// A row or progress on its way.
struct Item {
    table: Arc<Table>,
    key: Vec<u8>,
    value: Vec<u8>,
    version: i64,
}

impl Store {
    pub(super) async fn write(&self, mut batch: ViewBatch) -> Result<(), ViewError> {
        // Whoever sees an admission sees the books it was folded with: rows of the last table follow those before.
        let last_table = batch.rows.last().map(|row| row.table.clone());
        let is_last = |row: &&RowWrite| Some(&row.table) == last_table.as_ref();
        let last_rows = batch.rows.iter().rev().take_while(is_last).count();
        // Tables are made before progress is looked at, never after: one that is lost meanwhile stays away.
        let mut first = self.items(std::mem::take(&mut batch.rows)).await?;
        let advanced = self.advanced(&batch).await?;
        let last = first.split_off(first.len() - last_rows);
        self.put_all(first).await?;
        self.put_all(last).await?;
        try_join_all(advanced.into_iter().map(|item| self.put(WRITE_PROGRESS, item))).await?;
        Ok(())
    }

    /// The progress that the batch brings. Refuses a batch that builds on rows that the store does not have.
    ///
    /// Progress stands in the table that it is about and is read at quorum, so a table that was lost has none. Not covered
    /// is a table that is lost, and made again by another process, in the moment between this and the batch's last row.
    async fn advanced(&self, batch: &ViewBatch) -> Result<Vec<Item>, ViewError> {
        let advance = |(name, progress): &(TableName, Progress)| {
            let (name, progress) = (name.clone(), *progress);
            async move {
                let table = self.tables.make(&self.requests, &name).await?;
                let stored = self.stored_progress(&table, progress.position.partition).await?;
                let known = stored.as_ref().map(|stored| &stored.progress);
                if batch.leaves_gap(known, &progress) {
                    return Err(ViewError::gap(&name, known, batch.from_offset));
                }
                if known.is_some_and(|known| !known.may_become(&progress)) {
                    return Ok(None);
                }
                let turn = match stored {
                    None => 0,
                    Some(stored) if stored.progress.journal_id == progress.journal_id => stored.turn,
                    Some(stored) => stored.turn.checked_add(1).ok_or_else(|| too_many_journals(&name))?,
                };
                let version = version::of_progress(&name, turn, progress.next_offset)?;
                let key = progress_key(progress.position.partition);
                Ok(Some(Item { table, key, value: encoding::encode_progress(&progress), version }))
            }
        };
        Ok(try_join_all(batch.progress.iter().map(advance)).await?.into_iter().flatten().collect())
    }

    async fn items(&self, rows: Vec<RowWrite>) -> Result<Vec<Item>, ViewError> {
        let mut tables: Vec<Arc<Table>> = Vec::new();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let table = match tables.iter().find(|table| table.name == row.table) {
                Some(table) => Arc::clone(table),
                None => {
                    let table = self.tables.make(&self.requests, &row.table).await?;
                    tables.push(Arc::clone(&table));
                    table
                }
            };
            let (key, version) = (row_key(&row.table, &row.key)?, version::of_row(&row.table, row.applied)?);
            items.push(Item { table, key, value: encoding::encode_row(row.state, row.applied), version });
        }
        Ok(items)
    }

    async fn put_all(&self, items: Vec<Item>) -> Result<(), ViewError> {
        let writing = stream::iter(items).map(|item| self.put(WRITE, item));
        writing.buffer_unordered(self.at_once).try_collect().await
    }

    async fn put(&self, verb: &'static str, item: Item) -> Result<(), ViewError> {
        let Item { table, key, value, version } = item;
        let purpose = Purpose { verb, table: &table.name };
        match self.requests.write(purpose, &table.insert, (key, value, version)).await {
            Err(Failure::Invalid(error)) => {
                self.tables.forget(&table.name);
                // Not made here: this batch was checked against what the table held before.
                match self.tables.find(&self.requests, &table.name).await? {
                    Some(_) => Err(error),
                    None => Err(ViewError::retryable(format!("the table of {} is gone", table.name.0))),
                }
            }
            other => Ok(other?),
        }
    }
}

fn too_many_journals(table: &TableName) -> ViewError {
    let detail = format!("{}: too many journals were folded into the table; drop it and fold it anew", table.0);
    ViewError { retryable: false, detail }
}
