//! `POST /v1/events`, NDJSON, 500 a request, durable, beside the log adapter alone with the same records.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::StatusCode;

use super::{
    BenchError,
    bodies::{self, by_turns, next_body},
    journal,
    load::{Plan, closed_loop},
    report::{Limit, Measured, Report},
    system::{System, post},
};

const CONNECTIONS: usize = 8;
const EVENTS: usize = 500;
const BATCHES: u64 = 64;
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn run(measure: Duration) -> Result<Report, BenchError> {
    let system = System::start().await?;
    let users = Arc::new(system.users(CONNECTIONS).await?);
    let batches: Arc<[Bytes]> = (0..BATCHES).map(|seed| bodies::batch(seed, EVENTS)).collect::<Vec<_>>().into();
    let requests = {
        let (users, batches) = (Arc::clone(&users), Arc::clone(&batches));
        move |connection: usize, number: u64| {
            let body = next_body(&batches, connection, number);
            post("/v1/events", by_turns(&users, connection), "application/x-ndjson", body)
        }
    };
    let plan =
        Plan { addr: system.addr(), connections: CONNECTIONS, expect: StatusCode::OK, warm_up: WARM_UP, measure };
    let ours = closed_loop(plan, requests).await?;
    system.stop().await?;

    let limit = log_alone(&batches, measure).await?;
    let measured = Measured {
        per_second: ours.per_second() * EVENTS as f64,
        p50_us: Some(ours.percentile_us(50.0)),
        p99_us: Some(ours.percentile_us(99.0)),
        p999_us: Some(ours.percentile_us(99.9)),
    };
    let limit =
        Limit { what: "the log adapter alone, the same records in the same batches, durable", per_second: limit };
    Ok(Report::new("ingest", 0.30, measured, limit).with("connections", CONNECTIONS).with("events_per_request", EVENTS))
}

/// Events a second that the log takes from as many writers in batches of the same size.
async fn log_alone(batches: &[Bytes], measure: Duration) -> Result<f64, BenchError> {
    let journal = journal::Journal::empty()?;
    let codec = journal::codec()?;
    let mut prepared = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        let user = format!("bench-{}", number % CONNECTIONS);
        prepared.push(journal::records_of(&codec, &user, batch, journal.partitions())?);
    }
    let prepared = Arc::new(prepared);
    let start = Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..CONNECTIONS {
        let (prepared, log) = (Arc::clone(&prepared), journal.log());
        writers.spawn(async move {
            let (mut written, mut number) = (0, writer);
            while start.elapsed() < measure {
                // Copies of what is prepared stand for the encoding that a caller would have done.
                let records = by_turns(&prepared, number).clone();
                written += records.len() as u64;
                log.append(records).await.map_err(|error| BenchError(error.to_string()))?;
                number += 1;
            }
            Ok::<_, BenchError>(written)
        });
    }
    let mut written = 0;
    while let Some(joined) = writers.join_next().await {
        written += joined.map_err(|error| BenchError(error.to_string()))??;
    }
    Ok(written as f64 / start.elapsed().as_secs_f64())
}
