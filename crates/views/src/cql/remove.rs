//! Removes the keyspace, for benchmarks and tests.

use super::{OpenError, check, config::CqlViewsConfig, connect::connect, requests::Requests};

/// Drops the keyspace with all its tables. One that is not there is no error, so it can be repeated. Whoever writes to it
/// must have ended: a projector makes its tables again.
///
/// For benchmarks and tests, which make keyspaces to throw them away: nothing that serves calls it.
///
/// # Errors
/// When the configuration is no good, no node answers, or the keyspace can't be dropped.
pub async fn remove(config: &CqlViewsConfig) -> Result<(), OpenError> {
    check(config)?;
    let requests = Requests::new(connect(config).await?, config);
    let statement = format!("DROP KEYSPACE IF EXISTS \"{}\"", config.keyspace);
    requests.change(statement).await.map_err(|error| OpenError::Store(error.detail))
}
