//! `POST /v1/confidence` with everything on, beside a bare axum handler.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::{
    BenchError, bare,
    bodies::{self, by_turns, next_body},
    load::{Plan, closed_loop, open_loop},
    report::{HalfLoad, Limit, Measured, Report},
    system::{System, User, post},
};

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
const WARM_UP: Duration = Duration::from_secs(1);
/// Ingested and projected in the background at half load.
const BACKGROUND_EVENTS_PER_SECOND: u64 = 1_000;
const BACKGROUND_BATCH: usize = 50;

pub(super) async fn run(measure: Duration, variant: Variant) -> Result<Report, BenchError> {
    let (name, target, path) = match variant {
        Variant::Recorded => ("confidence", 0.35, "/v1/confidence"),
        Variant::DryRun => ("confidence-dry-run", 0.60, "/v1/confidence?dry_run=true"),
    };
    let system = System::start().await?;
    let users = Arc::new(system.users(CONNECTIONS).await?);
    fill_books(&system, &users).await?;
    let signals: Arc<[Bytes]> = bodies::signals(BODIES).into();
    let requests = {
        let (users, signals) = (Arc::clone(&users), Arc::clone(&signals));
        move |connection: usize, number: u64| {
            let user = by_turns(&users, connection);
            post(path, user, "application/json", next_body(&signals, connection, number))
        }
    };
    let plan =
        Plan { addr: system.addr(), connections: CONNECTIONS, expect: StatusCode::OK, warm_up: WARM_UP, measure };
    let ours = closed_loop(plan, requests.clone()).await?;
    system.caught_up().await?;
    let background = background(&system).await?;
    let half = open_loop(plan, ours.per_second() / 2.0, requests).await;
    background.abort();
    let half = half?;
    system.stop().await?;

    let (bare_addr, bare) = bare::start().await?;
    let bare_requests = {
        let (users, signals) = (Arc::clone(&users), Arc::clone(&signals));
        move |connection: usize, number: u64| {
            let user = by_turns(&users, connection);
            post("/", user, "application/json", next_body(&signals, connection, number))
        }
    };
    let limit = closed_loop(Plan { addr: bare_addr, ..plan }, bare_requests).await;
    bare.abort();
    let limit = Limit {
        what: "a bare axum handler that parses the same body and answers JSON",
        per_second: limit?.per_second(),
    };

    let measured = Measured {
        per_second: ours.per_second(),
        p50_us: Some(ours.percentile_us(50.0)),
        p99_us: Some(ours.percentile_us(99.0)),
        p999_us: Some(ours.percentile_us(99.9)),
    };
    let mut report = Report::new(name, target, measured, limit)
        .with("connections", CONNECTIONS)
        .with("closed_trades_per_book", TRADES);
    report.half_load = Some(HalfLoad {
        per_second: half.per_second(),
        background_events_per_second: BACKGROUND_EVENTS_PER_SECOND,
        p50_us: half.percentile_us(50.0),
        p99_us: half.percentile_us(99.0),
        p999_us: half.percentile_us(99.9),
    });
    Ok(report)
}

async fn fill_books(system: &System, users: &[User]) -> Result<(), BenchError> {
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
