//! `POST /v1/events`, NDJSON, 500 a request, durable, beside the log without us: the embedded log's adapter alone, or a
//! raw producer of Kafka's client library, with the same records.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hindcast_journal::NewRecord;
use http::StatusCode;

use super::{
    BenchError, blocking,
    bodies::{self, by_turns, next_body},
    journal::{self, Journal},
    load::{Load, Plan, closed_loop},
    places::Places,
    raw_producer::{self, RawPlan},
    report::{Limit, Measured, Report},
    system::{System, post},
};
use crate::serve::config::LogEngine;

const CONNECTIONS: usize = 8;
const EVENTS: usize = 500;
const BATCHES: u64 = 64;
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn run(places: &Places, measure: Duration) -> Result<Report, BenchError> {
    let batches: Arc<[Bytes]> = (0..BATCHES).map(|seed| bodies::batch(seed, EVENTS)).collect::<Vec<_>>().into();
    let system = System::start_ingress(places).await?;
    let roles = system.roles();
    let measured = through(&system, &batches, measure).await;
    let ours = system.stop_after(measured).await?;

    let (limit, target) = match places.log_engine() {
        LogEngine::Embedded => (log_alone(places, &batches, measure).await?, 0.30),
        LogEngine::Kafka => (raw_producer(places, &batches, measure).await?, 0.50),
    };
    let measured = Measured { per_second: ours.per_second() * EVENTS as f64, ..Measured::requests(&ours) };
    let report = Report::new("ingest", places.engine(), target, measured, limit);
    Ok(report.with("connections", CONNECTIONS).with("roles", roles).with("events_per_request", EVENTS))
}

async fn through(system: &System, batches: &Arc<[Bytes]>, measure: Duration) -> Result<Load, BenchError> {
    let users = Arc::new(system.users(CONNECTIONS).await?);
    let batches = Arc::clone(batches);
    let requests = move |connection: usize, number: u64| {
        let body = next_body(&batches, connection, number);
        post("/v1/events", by_turns(&users, connection), "application/x-ndjson", body)
    };
    let plan =
        Plan { addr: system.addr(), connections: CONNECTIONS, expect: StatusCode::OK, warm_up: WARM_UP, measure };
    closed_loop(plan, requests).await
}

/// Events a second that the log takes from as many writers in batches of the same size.
async fn log_alone(places: &Places, batches: &[Bytes], measure: Duration) -> Result<Limit, BenchError> {
    let journal = Journal::empty(places.make()?).await?;
    let prepared = Arc::new(prepared(&journal, batches)?);
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
    let per_second = written as f64 / start.elapsed().as_secs_f64();
    journal.close().await?;
    Ok(Limit { what: "the log adapter alone, the same records in the same batches, durable", per_second })
}

/// Events a second that a raw producer sends with as many batches in flight.
async fn raw_producer(places: &Places, batches: &[Bytes], measure: Duration) -> Result<Limit, BenchError> {
    // Makes topics that are as those of ours, with nothing in them.
    let journal = Journal::empty(places.make()?).await?;
    let prepared = prepared(&journal, batches)?;
    let config = journal.config().log.kafka.clone();
    let plan = RawPlan { in_flight: CONNECTIONS, warm_up: WARM_UP, measure };
    let raw = blocking(move || raw_producer::records_per_second(&config, &prepared, plan)).await;
    journal.close().await?;
    let what = "a raw rdkafka producer (idempotent, acks=all, lz4), the same records in the same batches";
    Ok(Limit { what, per_second: raw? })
}

/// What ingress makes of the batches.
fn prepared(journal: &Journal, batches: &[Bytes]) -> Result<Vec<Vec<NewRecord>>, BenchError> {
    let records_of = |(number, batch): (usize, &Bytes)| {
        let user = format!("bench-{}", number % CONNECTIONS);
        journal::records_of(journal.codec(), &user, batch, journal.partitions())
    };
    batches.iter().enumerate().map(records_of).collect()
}
