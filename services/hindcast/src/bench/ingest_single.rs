//! `POST /v1/trades`, durable, beside a bare axum handler.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::{
    BenchError,
    beside::{Beside, beside_bare},
    bodies::{self, by_turns, next_body},
    load::{Plan, Requests},
    places::Places,
    report::{Limit, Measured, Report},
    system::{System, User, post},
};

const CONNECTIONS: usize = 64;
const BODIES: usize = 1_024;
const WARM_UP: Duration = Duration::from_millis(500);

pub(super) async fn run(places: &Places, measure: Duration) -> Result<Report, BenchError> {
    let system = System::start_ingress(places).await?;
    let roles = system.roles();
    let measured = through(&system, measure).await;
    let Beside { ours, limit } = system.stop_after(measured).await?;
    let what = "a bare axum handler that parses the same body and answers JSON";
    let limit = Limit { what, per_second: limit.per_second() };
    let measured = Measured::requests(&ours);
    Ok(Report::new("ingest-single", places.engine(), 0.35, measured, limit)
        .with("connections", CONNECTIONS)
        .with("roles", roles))
}

async fn through(system: &System, measure: Duration) -> Result<Beside, BenchError> {
    let users = Arc::new(system.users(CONNECTIONS).await?);
    let trades: Arc<[Bytes]> = bodies::trades(BODIES).into();
    let ours = requests("/v1/trades", Arc::clone(&users), Arc::clone(&trades));
    let plan =
        Plan { addr: system.addr(), connections: CONNECTIONS, expect: StatusCode::CREATED, warm_up: WARM_UP, measure };
    beside_bare(system, plan, ours, requests("/", users, trades)).await
}

fn requests(path: &'static str, users: Arc<Vec<User>>, trades: Arc<[Bytes]>) -> impl Requests {
    move |connection: usize, number: u64| {
        post(path, by_turns(&users, connection), "application/json", next_body(&trades, connection, number))
    }
}
