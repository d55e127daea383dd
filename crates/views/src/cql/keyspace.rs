//! The keyspace: made where it is missing, and looked at before anything is kept in it.

use std::collections::HashMap;

use super::{OpenError, config::CqlViewsConfig, requests::Requests};
use crate::ViewError;

/// Longest name of a keyspace or a table.
pub(super) const MAX_NAME_BYTES: usize = 48;

/// Whether a text can be a name: what stays the same whether or not it is quoted.
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Makes the keyspace if it may and has to.
pub(super) async fn make(requests: &Requests, config: &CqlViewsConfig) -> Result<(), ViewError> {
    if !config.create_keyspace {
        return Ok(());
    }
    requests.change(statement(config)).await
}

fn statement(config: &CqlViewsConfig) -> String {
    // This strategy with this option gives every datacenter as many copies.
    format!(
        "CREATE KEYSPACE IF NOT EXISTS \"{}\" WITH replication = \
         {{'class': 'NetworkTopologyStrategy', 'replication_factor': {}}} AND durable_writes = true",
        config.keyspace, config.replication_factor
    )
}

/// Looks at the keyspace, and makes it first where that is wanted.
pub(super) async fn open(requests: &Requests, config: &CqlViewsConfig) -> Result<(), OpenError> {
    let failed = |error: ViewError| OpenError::Store(error.detail);
    let found = match find(requests, config).await.map_err(failed)? {
        Some(found) => found,
        None => {
            make(requests, config).await.map_err(failed)?;
            let missing = || OpenError::NoKeyspace { keyspace: config.keyspace.clone(), statement: statement(config) };
            find(requests, config).await.map_err(failed)?.ok_or_else(missing)?
        }
    };
    let fault = |what: String| OpenError::Keyspace { keyspace: config.keyspace.clone(), what };
    if !found.durable_writes {
        return Err(fault("has durable_writes = false and would lose acknowledged rows; set it to true".into()));
    }
    for (place, copies) in found.replication.iter().filter(|(option, _)| *option != "class") {
        if copies.parse() != Ok(config.replication_factor) {
            let wanted = config.replication_factor;
            return Err(fault(format!(
                "keeps {copies} copies ({place}), but replication_factor is {wanted}; configure what it has, or alter it"
            )));
        }
    }
    Ok(())
}

struct Found {
    replication: HashMap<String, String>,
    durable_writes: bool,
}

async fn find(requests: &Requests, config: &CqlViewsConfig) -> Result<Option<Found>, ViewError> {
    let text = format!(
        "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = '{}'",
        config.keyspace
    );
    let rows = requests.ask(text).await?.into_rows_result().map_err(|error| unexpected(&error))?;
    let row = rows.maybe_first_row::<(HashMap<String, String>, bool)>().map_err(|error| unexpected(&error))?;
    Ok(row.map(|(replication, durable_writes)| Found { replication, durable_writes }))
}

/// An answer that can't be read: the store is of a kind that we don't know.
pub(super) fn unexpected(error: &dyn std::error::Error) -> ViewError {
    let detail = format!("the view store answers in a way that can't be read: {}", super::failure::one_line(error));
    ViewError { retryable: false, detail }
}
