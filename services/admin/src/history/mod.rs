//! `GET /v1/journal`: history, for those who may read all of it.

mod container;
mod facts;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::FieldError;
use hindcast_journal::{ReadLimit, Topic};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    params::QueryParams,
    problem::{Problem, ProblemDocument},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{dead_letters::check_range, problems::AdminProblems, state::Shared};

/// Most records told at once.
const MAX_LIMIT: u64 = 10_000;
const READ_BYTES: usize = 8 << 20;

/// Where to go on from.
const HINDCAST_NEXT: HeaderName = HeaderName::from_static("hindcast-next");
const NDJSON: &str = "application/x-ndjson";
const AVRO: &str = "application/vnd.apache.avro";

/// Which records.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JournalQuery {
    /// The partition to read.
    #[param(minimum = 0)]
    partition: u16,
    /// First offset to read.
    #[serde(default)]
    from: u64,
    /// Most records read.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 10000, default = 1000)]
    limit: u64,
}

fn default_limit() -> u64 {
    1_000
}

/// Durable records of one partition of the journal, in order.
///
/// As NDJSON, one fact a line, with money as decimal strings; or, with `Accept: application/vnd.apache.avro`, as an Avro
/// container of the records as they are in the log. `Hindcast-Next` is the offset to go on from.
#[utoipa::path(
    get,
    path = "/v1/journal",
    tag = "history",
    params(JournalQuery),
    responses(
        (status = 200, description = "The records.", content(
            (String = "application/x-ndjson"),
            (Vec<u8> = "application/vnd.apache.avro"),
        ), headers(("Hindcast-Next" = u64, description = "Offset to go on from."))),
        (status = 406, description = "No known format is accepted.", body = ProblemDocument, content_type = "application/problem+json"),
        AdminProblems,
    ),
)]
pub(crate) async fn get_journal(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    QueryParams(query): QueryParams<JournalQuery>,
) -> Result<Response, Problem> {
    caller.require(Scope::Replay)?;
    let format = accepted_format(&headers)?;
    check_range(&state, query.partition, query.limit, MAX_LIMIT)?;
    let limit = ReadLimit { records: usize::try_from(query.limit).unwrap_or(1), bytes: READ_BYTES };
    let (records, next) = state.read(Topic::Journal, query.partition, query.from, limit).await?;
    let codec = std::sync::Arc::clone(&state.ports.codec);
    // Thousands of records are milliseconds of work.
    let body = tokio::task::spawn_blocking(move || match format {
        Format::Ndjson => facts::ndjson(&codec, &records),
        Format::Avro => container::avro(&records),
    })
    .await
    .map_err(|error| Problem::internal(format!("writing history panicked: {error}")))?
    .map_err(Problem::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (HINDCAST_NEXT, HeaderValue::from(next)),
    ];
    Ok((headers, body).into_response())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Avro,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => NDJSON,
            Self::Avro => AVRO,
        }
    }
}

/// NDJSON unless only Avro is asked for.
fn accepted_format(headers: &HeaderMap) -> Result<Format, Problem> {
    let Some(accept) = headers.get(header::ACCEPT) else { return Ok(Format::Ndjson) };
    let accept = accept.to_str().unwrap_or_default();
    let media_types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    for media_type in media_types {
        match media_type {
            NDJSON | "application/*" | "*/*" | "" => return Ok(Format::Ndjson),
            AVRO | "avro/binary" => return Ok(Format::Avro),
            _ => {}
        }
    }
    let mut problem = Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "not-acceptable",
        "No format that is accepted is known",
        format!("history is told as {NDJSON} or {AVRO}"),
    );
    problem.errors.push(FieldError::new("#header/accept", format!("must allow {NDJSON} or {AVRO}")));
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_of(accept: &'static str) -> Option<Format> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        accepted_format(&headers).ok()
    }

    #[test]
    fn formats() {
        assert_eq!(accepted_format(&HeaderMap::new()).ok(), Some(Format::Ndjson));
        assert_eq!(format_of("text/html, */*;q=0.1"), Some(Format::Ndjson));
        assert_eq!(format_of("application/vnd.apache.avro"), Some(Format::Avro));
        assert_eq!(format_of("text/html"), None);
    }
}
