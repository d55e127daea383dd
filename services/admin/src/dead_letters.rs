//! `GET /admin/v1/dead-letters`: notices of records that no fold could use.

use axum::{Json, extract::State};
use hindcast_bodies::FieldError;
use hindcast_journal::{ReadLimit, Record, RecordType, Topic};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    params::QueryParams,
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{problems::AdminProblems, state::Shared};

/// Most notices told at once.
const MAX_LIMIT: u64 = 1_000;
const READ_BYTES: usize = 16 << 20;

/// Which notices.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterQuery {
    /// The partition to read.
    #[param(minimum = 0)]
    partition: u16,
    /// First offset to read.
    #[serde(default)]
    from: u64,
    /// Most notices told.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u64,
}

fn default_limit() -> u64 {
    100
}

/// Notices of one partition, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLettersAnswer {
    dead_letters: Vec<DeadLetterAnswer>,
    /// Offset to go on from.
    next: u64,
}

/// A notice of a record that no fold could use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterAnswer {
    /// Offset of the notice.
    offset: u64,
    /// Key of the record: its user.
    key: String,
    /// The notice: position, reason, detail and body of the record.
    #[schema(value_type = Object)]
    notice: serde_json::Value,
}

/// Records that no fold could use.
#[utoipa::path(
    get,
    path = "/admin/v1/dead-letters",
    tag = "admin",
    params(DeadLetterQuery),
    responses((status = 200, description = "The notices.", body = DeadLettersAnswer), AdminProblems),
)]
pub(crate) async fn list(
    State(state): State<Shared>,
    caller: Caller,
    QueryParams(query): QueryParams<DeadLetterQuery>,
) -> Result<Json<DeadLettersAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    check_range(&state, query.partition, query.limit, MAX_LIMIT)?;
    let limit = ReadLimit { records: usize::try_from(query.limit).unwrap_or(1), bytes: READ_BYTES };
    let (records, next) = state.read(Topic::DeadLetters, query.partition, query.from, limit).await?;
    let dead_letters =
        records.iter().filter(|record| record.record_type == RecordType::DeadLetter).map(answer).collect();
    Ok(Json(DeadLettersAnswer { dead_letters, next }))
}

fn answer(record: &Record) -> DeadLetterAnswer {
    DeadLetterAnswer {
        offset: record.offset,
        key: String::from_utf8_lossy(&record.key).into_owned(),
        notice: serde_json::from_slice(&record.value).unwrap_or(serde_json::Value::Null),
    }
}

/// Refuses a partition that is not there and a limit out of range.
pub(crate) fn check_range(state: &Shared, partition: u16, limit: u64, most: u64) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let partitions = state.ports.log.identity().partitions;
    if partition >= partitions {
        faults.push(FieldError::new("#query/partition", format!("must be from 0 to {}", partitions - 1)));
    }
    if !(1..=most).contains(&limit) {
        faults.push(FieldError::new("#query/limit", format!("must be from 1 to {most}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::validation(faults)) }
}
