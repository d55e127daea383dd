//! Reading rows, progress and whole tables.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use scylla::{
    deserialize::row::DeserializeRow,
    response::{PagingState, query_result::QueryResult},
};

use super::{
    Store,
    failure::Failure,
    keyspace::unexpected,
    requests::Purpose,
    tables::{Table, key_of_row, progress_key, row_key},
    version::turn_of,
};
use crate::{Progress, Row, TableName, ViewError, encoding};

const READ: &str = "read a row";
const READ_PROGRESS: &str = "read progress";

/// Progress as it was read.
#[derive(Clone, Copy)]
pub(super) struct StoredProgress {
    pub(super) progress: Progress,
    /// How many journals were before this one.
    pub(super) turn: u8,
}

impl Store {
    pub(super) async fn read(&self, name: &TableName, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Row>>, ViewError> {
        let Some(table) = self.tables.find(&self.requests, name).await? else {
            return Ok(vec![None; keys.len()]);
        };
        // One after the other would do for the one key of a request.
        if let [key] = keys.as_slice() {
            return Ok(vec![self.read_row(&table, row_key(name, key)?).await?]);
        }
        let rows = stream::iter(keys).map(|key| {
            let table = &table;
            async move { self.read_row(table, row_key(name, &key)?).await }
        });
        rows.buffered(self.at_once).try_collect().await
    }

    async fn read_row(&self, table: &Arc<Table>, key: Vec<u8>) -> Result<Option<Row>, ViewError> {
        let value = self.value::<(Vec<u8>,)>(READ, table, |table| &table.select, key).await?;
        value.map(|(value,)| encoding::decode_row(&value).ok_or_else(|| damaged(&table.name))).transpose()
    }

    pub(super) async fn progress(&self, name: &TableName, partition: u16) -> Result<Option<Progress>, ViewError> {
        let Some(table) = self.tables.find(&self.requests, name).await? else { return Ok(None) };
        Ok(self.stored_progress(&table, partition).await?.map(|stored| stored.progress))
    }

    pub(super) async fn stored_progress(
        &self,
        table: &Arc<Table>,
        partition: u16,
    ) -> Result<Option<StoredProgress>, ViewError> {
        let key = progress_key(partition);
        let stored = self.value::<(Vec<u8>, i64)>(READ_PROGRESS, table, |table| &table.select_version, key).await?;
        let Some((value, version)) = stored else { return Ok(None) };
        let progress = encoding::decode_progress(&value).zip(turn_of(version));
        let (progress, turn) = progress.ok_or_else(|| damaged(&table.name))?;
        Ok(Some(StoredProgress { progress, turn }))
    }

    /// Reads what stands under a key. A table that was dropped since it was used has nothing.
    async fn value<T>(
        &self,
        verb: &'static str,
        table: &Arc<Table>,
        statement: impl Fn(&Table) -> &Arc<scylla::statement::prepared::PreparedStatement> + Send,
        key: Vec<u8>,
    ) -> Result<Option<T>, ViewError>
    where
        T: for<'frame> DeserializeRow<'frame, 'frame>,
    {
        let purpose = Purpose { verb, table: &table.name };
        let answer = match self.requests.read(purpose, statement(table), (key.clone(),)).await {
            Err(Failure::Invalid(error)) => {
                self.tables.forget(&table.name);
                let Some(table) = self.tables.find(&self.requests, &table.name).await? else { return Ok(None) };
                tracing::debug!(%error, "a table is there again");
                self.requests.read(purpose, statement(&table), (key,)).await?
            }
            other => other?,
        };
        first_row(answer)
    }

    pub(super) async fn scan(
        &self,
        name: &TableName,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ViewError> {
        let mut found = Vec::new();
        let Some(table) = self.tables.find(&self.requests, name).await? else { return Ok(found) };
        // Keys of one token follow each other in an order of the store's: what stands before the last key is known.
        let after = after.map(|key| row_key(name, &key)).transpose()?;
        let token = after.as_ref().map(|key| token_of(&table, key)).transpose()?;
        let mut to_pass = token.zip(after);
        let least = token.unwrap_or(i64::MIN);
        let (purpose, mut from) = (Purpose { verb: "read rows", table: name }, PagingState::start());
        loop {
            let page = self.requests.read_page(purpose, &table.scan, (least,), from).await;
            if matches!(page, Err(Failure::Invalid(_))) {
                self.tables.forget(name);
            }
            let (page, next) = page?;
            let rows = page.into_rows_result().map_err(|error| unexpected(&error))?;
            for row in rows.rows::<(i64, Vec<u8>, Vec<u8>)>().map_err(|error| unexpected(&error))? {
                let (token, key, value) = row.map_err(|error| unexpected(&error))?;
                if let Some((passed, after)) = &to_pass {
                    let is_passed = token == *passed;
                    if !is_passed || key == *after {
                        to_pass = None;
                    }
                    if is_passed {
                        continue;
                    }
                }
                if found.len() >= limit {
                    return Ok(found);
                }
                if let Some(key) = key_of_row(&key) {
                    found.push((key.to_vec(), encoding::decode_row(&value).ok_or_else(|| damaged(name))?));
                }
            }
            match next.into_paging_control_flow() {
                std::ops::ControlFlow::Continue(next) if found.len() < limit => from = next,
                _ => return Ok(found),
            }
        }
    }
}

fn token_of(table: &Table, key: &[u8]) -> Result<i64, ViewError> {
    let token = table.select.calculate_token(&(key,)).map_err(|error| unexpected(&error))?;
    token.map(|token| token.value()).ok_or_else(|| ViewError {
        retryable: false,
        detail: format!("the table of {} is not spread by its key, as no table of ours is", table.name.0),
    })
}

fn first_row<T>(answer: QueryResult) -> Result<Option<T>, ViewError>
where
    T: for<'frame> DeserializeRow<'frame, 'frame>,
{
    let rows = answer.into_rows_result().map_err(|error| unexpected(&error))?;
    rows.maybe_first_row::<T>().map_err(|error| unexpected(&error))
}

fn damaged(table: &TableName) -> ViewError {
    let detail = format!("{}: a stored value is damaged; drop the table, so that it is folded anew", table.0);
    ViewError { retryable: false, detail }
}
