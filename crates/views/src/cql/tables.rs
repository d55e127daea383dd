//! A generation's table, and the statements for it.
//!
//! ```text
//! key                                 value
//! 'r' key of the row                  state, applied
//! 'p' partition u16                   the partition's progress
//! 'h'                                 nothing: written now and then to see whether rows can be written
//! ```
//! Each key is a partition of the store, so none grows and a row is read from one place. A table's progress stands in the
//! table: whoever drops one drops both, and a generation that is built again begins from nothing.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use scylla::statement::prepared::PreparedStatement;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

use super::{
    config::CqlViewsConfig,
    failure::{is_invalid, one_line},
    keyspace::{self, is_name, unexpected},
    requests::Requests,
};
use crate::{TableName, ViewError};

const ROW: u8 = b'r';
const PROGRESS: u8 = b'p';
const PROBE: u8 = b'h';
/// The longest key that the store takes, less ours before it.
const MAX_KEY_BYTES: usize = u16::MAX as usize - 1;
/// Rows asked for at a time when a table is read as a whole.
const PAGE_ROWS: i32 = 256;

/// For the nodes to agree on a table that is there already, and to take statements for it; at least.
const PREPARE_TIMEOUT: Duration = Duration::from_secs(2);
const PREPARE_PAUSE: Duration = Duration::from_millis(50);

/// Statements for one table.
pub(super) struct Table {
    pub(super) name: TableName,
    /// `(key, value, version)`
    pub(super) insert: Arc<PreparedStatement>,
    /// `(key)`, answers `(value)`
    pub(super) select: Arc<PreparedStatement>,
    /// `(key)`, answers `(value, version)`
    pub(super) select_version: Arc<PreparedStatement>,
    /// `(least token)`, answers `(token, key, value)`
    pub(super) scan: Arc<PreparedStatement>,
}

pub(super) struct Tables {
    config: CqlViewsConfig,
    known: RwLock<HashMap<TableName, Arc<Table>>>,
    /// One is looked for or made at a time.
    looking: Mutex<()>,
}

impl Tables {
    pub(super) fn new(config: &CqlViewsConfig) -> Self {
        Self { config: config.clone(), known: RwLock::default(), looking: Mutex::new(()) }
    }

    /// A table to read from; `None` if it is not there.
    pub(super) async fn find(&self, requests: &Requests, name: &TableName) -> Result<Option<Arc<Table>>, ViewError> {
        if let Some(table) = self.known(name) {
            return Ok(Some(table));
        }
        let _looking = self.turn(requests, name).await?;
        if let Some(table) = self.known(name) {
            return Ok(Some(table));
        }
        self.look(requests, name).await
    }

    /// A table to write to, made if it is not there.
    pub(super) async fn make(&self, requests: &Requests, name: &TableName) -> Result<Arc<Table>, ViewError> {
        if let Some(table) = self.find(requests, name).await? {
            return Ok(table);
        }
        let _looking = self.turn(requests, name).await?;
        let statement = self.statement(name)?;
        if self.config.create_tables {
            keyspace::make(requests, &self.config).await?;
            if let Err(error) = requests.change(statement.clone()).await {
                // Another process may have made it at the same time.
                return self.look(requests, name).await?.ok_or(error);
            }
        }
        let missing = || ViewError::retryable(format!("the table of {} is missing; make it: {statement}", name.0));
        self.look(requests, name).await?.ok_or_else(missing)
    }

    /// Removes a table with its progress, if it is there.
    pub(super) async fn drop(&self, requests: &Requests, name: &TableName) -> Result<(), ViewError> {
        let _looking = self.turn(requests, name).await?;
        self.forget(name);
        let statement = format!("DROP TABLE IF EXISTS \"{}\".\"{}\"", self.config.keyspace, cql_name(name)?);
        // Every builder asks for every table that was ever dropped; a change of the schema takes all nodes.
        if self.look(requests, name).await?.is_none() {
            return Ok(());
        }
        if !self.config.create_tables {
            // Whoever may not make tables may not drop them.
            return Err(ViewError { retryable: false, detail: format!("drop it: {statement}") });
        }
        let dropped = requests.change(statement).await;
        self.forget(name);
        dropped
    }

    /// Some table that was used.
    pub(super) fn any(&self) -> Option<Arc<Table>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).values().next().cloned()
    }

    /// What is known of a table may be out of date.
    pub(super) fn forget(&self, name: &TableName) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn known(&self, name: &TableName) -> Option<Arc<Table>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    async fn turn(&self, requests: &Requests, name: &TableName) -> Result<MutexGuard<'_, ()>, ViewError> {
        timeout(requests.timeout(), self.looking.lock()).await.map_err(|_| not_in_time(name))
    }

    async fn look(&self, requests: &Requests, name: &TableName) -> Result<Option<Arc<Table>>, ViewError> {
        let cql_name = cql_name(name)?;
        let keyspace = &self.config.keyspace;
        let text = format!(
            "SELECT default_time_to_live FROM system_schema.tables \
             WHERE keyspace_name = '{keyspace}' AND table_name = '{cql_name}'"
        );
        let rows = requests.ask(text).await?.into_rows_result().map_err(|error| unexpected(&error))?;
        let found = rows.maybe_first_row::<(Option<i32>,)>().map_err(|error| unexpected(&error))?;
        let Some((time_to_live,)) = found else { return Ok(None) };
        if time_to_live.unwrap_or(0) != 0 {
            let detail = format!("the table of {} forgets rows: set its default_time_to_live to 0", name.0);
            return Err(ViewError { retryable: true, detail });
        }
        let full = format!("\"{keyspace}\".\"{cql_name}\"");
        let preparing = async {
            // One node knows the table; another that doesn't yet would call our statements wrong.
            let agreed = requests.session().await_schema_agreement().await;
            agreed.map_err(|error| ViewError::retryable(format!("the view store's schema: {}", one_line(&error))))?;
            self.prepare(requests, name, &full).await
        };
        let prepared = timeout(PREPARE_TIMEOUT.max(requests.timeout()), preparing).await;
        let table = Arc::new(prepared.map_err(|_| not_in_time(name))??);
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), Arc::clone(&table));
        Ok(Some(table))
    }

    async fn prepare(&self, requests: &Requests, name: &TableName, full: &str) -> Result<Table, ViewError> {
        let prepare = |text: String| async move {
            // A node writes a new table down before it takes statements for it.
            let prepared = loop {
                match requests.session().prepare(text.clone()).await {
                    Err(error) if is_invalid(&error) => tokio::time::sleep(PREPARE_PAUSE).await,
                    result => break result,
                }
            };
            let failed =
                |error| format!("statements for the table of {} can't be prepared: {}", name.0, one_line(&error));
            let mut statement = prepared.map_err(|error| ViewError::retryable(failed(error)))?;
            // A row carries its version, so that writing it again changes nothing.
            statement.set_is_idempotent(true);
            // The table never changes.
            statement.set_use_cached_result_metadata(true);
            statement.set_page_size(PAGE_ROWS);
            Ok::<_, ViewError>(Arc::new(statement))
        };
        Ok(Table {
            name: name.clone(),
            insert: prepare(format!("INSERT INTO {full} (key, value) VALUES (?, ?) USING TIMESTAMP ?")).await?,
            select: prepare(format!("SELECT value FROM {full} WHERE key = ?")).await?,
            select_version: prepare(format!("SELECT value, WRITETIME(value) FROM {full} WHERE key = ?")).await?,
            scan: prepare(format!("SELECT token(key), key, value FROM {full} WHERE token(key) >= ?")).await?,
        })
    }

    fn statement(&self, name: &TableName) -> Result<String, ViewError> {
        // Rows are written again and again and read by key: levels keep few old versions and few files to look into.
        // No time windows: timestamps are no times.
        Ok(format!(
            "CREATE TABLE IF NOT EXISTS \"{}\".\"{}\" (key blob PRIMARY KEY, value blob) \
             WITH compaction = {{'class': 'LeveledCompactionStrategy'}} AND default_time_to_live = 0",
            self.config.keyspace,
            cql_name(name)?
        ))
    }
}

fn not_in_time(name: &TableName) -> ViewError {
    ViewError::retryable(format!("the view store's table of {} could not be looked for in time", name.0))
}

/// A table's name in the store. Ours have `-` where the store takes only `_`.
fn cql_name(name: &TableName) -> Result<String, ViewError> {
    let cql_name = name.0.replace('-', "_");
    if name.0.contains('_') || !is_name(&cql_name) {
        let detail = format!(
            "{:?} can't be a table of the view store: lower-case letters, digits and -, at most {} of them",
            name.0,
            keyspace::MAX_NAME_BYTES
        );
        return Err(ViewError { retryable: false, detail });
    }
    Ok(cql_name)
}

pub(super) fn row_key(table: &TableName, key: &[u8]) -> Result<Vec<u8>, ViewError> {
    if key.len() > MAX_KEY_BYTES {
        let detail = format!("{}: a key of {} bytes is too long for the view store", table.0, key.len());
        return Err(ViewError { retryable: false, detail });
    }
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(ROW);
    full.extend_from_slice(key);
    Ok(full)
}

/// The key of the row that a stored key names, if it names one.
pub(super) fn key_of_row(stored_key: &[u8]) -> Option<&[u8]> {
    stored_key.split_first().filter(|(kind, _)| **kind == ROW).map(|(_, key)| key)
}

pub(super) fn progress_key(partition: u16) -> Vec<u8> {
    let [high, low] = partition.to_be_bytes();
    vec![PROGRESS, high, low]
}

pub(super) fn probe_key() -> Vec<u8> {
    vec![PROBE]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart() {
        assert_eq!(cql_name(&TableName("book-5f3a9c0d1e2b4a67".into())).unwrap(), "book_5f3a9c0d1e2b4a67");
        for bad in ["", "Book", "a_b", "a b", "a\"b", &"a".repeat(49)] {
            assert!(!cql_name(&TableName(bad.into())).unwrap_err().retryable, "{bad}");
        }
    }

    /// Stores hold these bytes.
    #[test]
    fn bytes_stay() {
        let table = TableName("t".into());
        assert_eq!(row_key(&table, b"k").unwrap(), b"rk");
        assert_eq!(key_of_row(b"rk"), Some(b"k".as_slice()));
        assert_eq!(progress_key(258), b"p\x01\x02");
        assert_eq!(key_of_row(&progress_key(258)), None);
        assert_eq!(key_of_row(&probe_key()), None);
        assert!(row_key(&table, &[0; 65_535]).is_err());
    }
}
