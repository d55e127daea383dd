//! The driver without the adapter around it, for benchmarks that compare the two.

use std::sync::Arc;

use scylla::{client::session::Session, statement::prepared::PreparedStatement};

use super::{
    OpenError, check, config::CqlViewsConfig, connect::connect, failure::one_line, keyspace, requests::Requests,
    tables::Tables,
};
use crate::{TableName, ViewError};

/// Prepared inserts into a table of their own, as the adapter makes them, given to the driver as they come: nothing bounds
/// how many are in flight.
pub struct BareInserts {
    session: Arc<Session>,
    insert: Arc<PreparedStatement>,
}

impl BareInserts {
    /// Connects as the adapter does, and makes the keyspace and the table `name` if they are missing.
    ///
    /// # Errors
    /// When the configuration is no good, no node answers, or the table can't be made.
    pub async fn open(config: &CqlViewsConfig, name: &TableName) -> Result<Self, OpenError> {
        check(config)?;
        let requests = Requests::new(connect(config).await?, config);
        keyspace::open(&requests, config).await?;
        let made = Tables::new(config).make(&requests, name).await;
        let table = made.map_err(|error| OpenError::Store(error.detail))?;
        Ok(Self { session: Arc::clone(requests.session()), insert: Arc::clone(&table.insert) })
    }

    /// Inserts a row, or replaces one of a lower version.
    ///
    /// # Errors
    /// When the store did not take it.
    pub async fn insert(&self, key: &[u8], value: &[u8], version: i64) -> Result<(), ViewError> {
        let inserted = self.session.execute_unpaged(&self.insert, (key, value, version)).await;
        inserted.map(drop).map_err(|error| ViewError::retryable(one_line(&error)))
    }
}

impl std::fmt::Debug for BareInserts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BareInserts").finish_non_exhaustive()
    }
}
