//! `POST /v1/confidence` with everything on, beside a bare axum handler.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::StatusCode;

use super::{
    BenchError,
    beside::{Beside, beside_bare},
    blocking,
    bodies::{self, by_turns, next_body},
    disk,
    load::{Load, Plan, Requests, open_loop},
    places::Places,
    report::{HalfLoad, Limit, Measured, Report},
    system::{System, User, post},
};
use crate::serve::config::LogEngine;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// Signal and decision recorded.
    Recorded,
    /// Nothing recorded.
    DryRun,
}

const CONNECTIONS: usize = 128;
/// Closed trades in each book.
const TRADES: usize = 500;
const BODIES: usize = 1_024;
const WARM_UP: Duration = Duration::from_millis(500);
/// Ingested and projected in the background at half load.
const BACKGROUND_EVENTS_PER_SECOND: u64 = 1_000;
const BACKGROUND_BATCH: usize = 50;

pub(super) async fn run(places: &Places, measure: Duration, variant: Variant) -> Result<Report, BenchError> {
    let (name, target, path) = match variant {
        Variant::Recorded => ("confidence", 0.35, "/v1/confidence"),
        Variant::DryRun => ("confidence-dry-run", 0.60, "/v1/confidence?dry_run=true"),
    };
    let system = System::start(places).await?;
    let log_is_here = places.log_engine() == LogEngine::Embedded;
    let measured = through(&system, path, measure, log_is_here).await;
    let Through { saturated: Beside { ours, limit }, half, disk_us } = system.stop_after(measured).await?;
    let limit = Limit {
        what: "a bare axum handler that parses the same body and answers JSON",
        per_second: limit.per_second(),
    };

    let mut report = Report::new(name, places.engine(), target, Measured::requests(&ours), limit)
        .with("connections", CONNECTIONS)
        .with("closed_trades_per_book", TRADES);
    report.half_load = Some(HalfLoad {
        per_second: half.per_second(),
        background_events_per_second: BACKGROUND_EVENTS_PER_SECOND,
        p50_us: half.percentile_us(50.0),
        p99_us: half.percentile_us(99.0),
        p999_us: half.percentile_us(99.9),
    });
    if let Some(disk_us) = disk_us {
        report = report
            .with("disk_sync_p50_us", disk_us.value_at_percentile(50.0))
            .with("disk_sync_p99_us", disk_us.value_at_percentile(99.0));
    }
    Ok(report)
}

/// What was measured through a system.
struct Through {
    saturated: Beside,
    half: Load,
    /// What the disk takes for a sync, where the log is on it.
    disk_us: Option<Histogram<u64>>,
}

async fn through(
    system: &System,
    path: &'static str,
    measure: Duration,
    log_is_here: bool,
) -> Result<Through, BenchError> {
    let users = Arc::new(system.users(CONNECTIONS).await?);
    fill_books(system, &users).await?;
    let signals: Arc<[Bytes]> = bodies::signals(BODIES).into();
    let ours = requests(path, Arc::clone(&users), Arc::clone(&signals));
    let plan = plan(system.addr(), measure);
    let saturated = beside_bare(system, plan, ours.clone(), requests("/", users, signals)).await?;
    let background = background(system).await?;
    let half = open_loop(plan, saturated.ours.per_second() / 2.0, ours).await;
    background.abort();
    let folder = system.data_folder().to_owned();
    let disk_us = if log_is_here { Some(blocking(move || disk::sync_us(&folder)).await?) } else { None };
    Ok(Through { saturated, half: half?, disk_us })
}

fn plan(addr: SocketAddr, measure: Duration) -> Plan {
    Plan { addr, connections: CONNECTIONS, expect: StatusCode::OK, warm_up: WARM_UP, measure }
}

pub(super) fn requests(path: &'static str, users: Arc<Vec<User>>, signals: Arc<[Bytes]>) -> impl Requests {
    move |connection: usize, number: u64| {
        let user = by_turns(&users, connection);
        post(path, user, "application/json", next_body(&signals, connection, number))
    }
}

pub(super) async fn fill_books(system: &System, users: &[User]) -> Result<(), BenchError> {
    for (number, user) in users.iter().enumerate() {
        // Signals and trades by turns.
        for part in 0..2 {
            let batch = bodies::batch((number * 2 + part) as u64, TRADES);
            system.post("/v1/events", &user.key, "application/x-ndjson", batch).await?;
        }
    }
    system.caught_up().await
}

/// Other users' events meanwhile, until aborted.
async fn background(system: &System) -> Result<tokio::task::JoinHandle<()>, BenchError> {
    let user = system.users(CONNECTIONS + 1).await?.pop().ok_or_else(|| BenchError("no user".to_owned()))?;
    let addr = system.addr();
    let batches: Vec<Bytes> = (0..64).map(|seed| bodies::batch(seed, BACKGROUND_BATCH)).collect();
    let requests =
        move |_: usize, number: u64| post("/v1/events", &user, "application/x-ndjson", next_body(&batches, 0, number));
    let plan = Plan {
        addr,
        connections: 1,
        expect: StatusCode::OK,
        warm_up: Duration::ZERO,
        measure: Duration::from_secs(3_600),
    };
    let per_second = BACKGROUND_EVENTS_PER_SECOND as f64 / BACKGROUND_BATCH as f64;
    Ok(tokio::spawn(async move {
        if let Err(BenchError(message)) = open_loop(plan, per_second, requests).await {
            tracing::warn!(message, "the background load of the benchmark ended");
        }
    }))
}
