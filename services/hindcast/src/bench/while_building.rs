//! How long `POST /v1/confidence` takes while another set of generations is built, beside the same load before.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    BenchError, bodies,
    confidence::{fill_books, requests},
    load::{Load, Plan, closed_loop, open_loop},
    places::Places,
    report::{Limit, Measured, Report},
    system::{System, User, post},
};

const CONNECTIONS: usize = 64;
const BODIES: usize = 1_024;
const WARM_UP: Duration = Duration::from_millis(500);
/// Events of a batch of history.
const BATCH: usize = 500;
/// Connections that bring history in.
const HISTORY_CONNECTIONS: usize = 8;
/// Share of the saturated rate at which requests are sent: client, system and builder have the same cores.
const LOAD_SHARE: f64 = 0.25;
const PATH: &str = "/v1/confidence";

pub(super) async fn run(places: &Places, measure: Duration) -> Result<Report, BenchError> {
    let system = System::start(places).await?;
    let measured = through(&system, measure).await;
    let Found { history, before, building, is_built } = system.stop_after(measured).await?;
    let limit = Limit {
        what: "the same load before; the ratio is its p99 by that while building",
        per_second: before.per_second(),
    };
    let mut report =
        Report::new("confidence-while-building", places.engine(), 0.50, Measured::requests(&building), limit)
            .with("connections", CONNECTIONS)
            .with("history_events", history)
            .with("before_p50_us", before.percentile_us(50.0))
            .with("before_p99_us", before.percentile_us(99.0))
            .with("before_p999_us", before.percentile_us(99.9))
            .with("built_before_the_end", is_built);
    report.ratio = before.percentile_us(99.0) as f64 / building.percentile_us(99.0).max(1) as f64;
    Ok(report)
}

struct Found {
    history: u64,
    before: Load,
    building: Load,
    /// Whether the build was over before the measurement was.
    is_built: bool,
}

async fn through(system: &System, measure: Duration) -> Result<Found, BenchError> {
    let users = Arc::new(system.users(CONNECTIONS).await?);
    fill_books(system, &users).await?;
    let history = history(system, &users, measure).await?;
    let signals: Arc<[Bytes]> = bodies::signals(BODIES).into();
    let requests = requests(PATH, Arc::clone(&users), signals);
    let plan = plan(system, CONNECTIONS, measure);
    let rate = closed_loop(plan, requests.clone()).await?.per_second() * LOAD_SHARE;
    system.caught_up().await?;
    let before = open_loop(plan, rate, requests.clone()).await?;
    let name = begin_build(system).await?;
    let building = open_loop(plan, rate, requests).await?;
    let is_built = build(system, &name).await?.get("stage").and_then(Value::as_str) != Some("building");
    Ok(Found { history, before, building, is_built })
}

fn plan(system: &System, connections: usize, measure: Duration) -> Plan {
    Plan { addr: system.addr(), connections, expect: StatusCode::OK, warm_up: WARM_UP, measure }
}

/// Brings in as much as comes in while it is measured, which is about what is built in that time.
async fn history(system: &System, users: &Arc<Vec<User>>, measure: Duration) -> Result<u64, BenchError> {
    let batches: Arc<[Bytes]> = (0..64).map(|seed| bodies::batch(seed, BATCH)).collect();
    let users = Arc::clone(users);
    let requests = move |connection: usize, number: u64| {
        let turn = connection + HISTORY_CONNECTIONS * usize::try_from(number).unwrap_or(0);
        let user = bodies::by_turns(&users, turn);
        post("/v1/events", user, "application/x-ndjson", bodies::next_body(&batches, connection, number))
    };
    let load = closed_loop(plan(system, HISTORY_CONNECTIONS, measure), requests).await?;
    system.caught_up().await?;
    Ok(load.requests * BATCH as u64)
}

/// Plans another set and has it built; tells its name.
async fn begin_build(system: &System) -> Result<String, BenchError> {
    let planned =
        system.operate("/admin/v1/reprojections", &json!({"generations": {"book": {"fold_version": 2}}})).await?;
    let name = planned.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    build(system, &name).await?;
    Ok(name)
}

async fn build(system: &System, name: &str) -> Result<Value, BenchError> {
    system.operate(&format!("/admin/v1/reprojections/{name}/build"), &json!({})).await
}
