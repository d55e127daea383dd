//! `POST /v1/trades`, durable, beside a bare axum handler.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::{
    BenchError, bare,
    bodies::{self, by_turns, next_body},
    load::{Plan, closed_loop},
    report::{Limit, Measured, Report},
    system::{System, post},
};

const CONNECTIONS: usize = 64;
const BODIES: usize = 1_024;
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn run(measure: Duration) -> Result<Report, BenchError> {
    let system = System::start().await?;
    let users = Arc::new(system.users(CONNECTIONS).await?);
    let trades: Arc<[Bytes]> = bodies::trades(BODIES).into();
    let requests = |path: &'static str| {
        let (users, trades) = (Arc::clone(&users), Arc::clone(&trades));
        move |connection: usize, number: u64| {
            post(path, by_turns(&users, connection), "application/json", next_body(&trades, connection, number))
        }
    };
    let plan =
        Plan { addr: system.addr(), connections: CONNECTIONS, expect: StatusCode::CREATED, warm_up: WARM_UP, measure };
    let ours = closed_loop(plan, requests("/v1/trades")).await?;
    system.stop().await?;

    let (addr, bare) = bare::start().await?;
    let limit = closed_loop(Plan { addr, expect: StatusCode::OK, ..plan }, requests("/")).await;
    bare.abort();
    let measured = Measured {
        per_second: ours.per_second(),
        p50_us: Some(ours.percentile_us(50.0)),
        p99_us: Some(ours.percentile_us(99.0)),
        p999_us: Some(ours.percentile_us(99.9)),
    };
    let what = "a bare axum handler that parses the same body and answers JSON";
    let limit = Limit { what, per_second: limit?.per_second() };
    Ok(Report::new("ingest-single", 0.35, measured, limit).with("connections", CONNECTIONS))
}
