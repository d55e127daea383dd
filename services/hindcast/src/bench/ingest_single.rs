//! `POST /v1/trades`, durable, beside a bare axum handler.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::{
    BenchError, bare,
    bodies::{self, by_turns, next_body},
    load::{Load, Plan, Requests, closed_loop},
    places::Places,
    report::{Limit, Measured, Report},
    system::{System, User, post},
};

const CONNECTIONS: usize = 64;
const BODIES: usize = 1_024;
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn run(places: &Places, measure: Duration) -> Result<Report, BenchError> {
    let trades: Arc<[Bytes]> = bodies::trades(BODIES).into();
    let system = System::start_ingress(places).await?;
    let roles = system.roles();
    let measured = through(&system, &trades, measure).await;
    let (users, ours) = system.stop_after(measured).await?;

    let (addr, bare) = bare::start().await?;
    let limit = closed_loop(plan(addr, StatusCode::OK, measure), requests("/", users, trades)).await;
    bare.abort();
    let what = "a bare axum handler that parses the same body and answers JSON";
    let limit = Limit { what, per_second: limit?.per_second() };
    let measured = Measured::requests(&ours);
    Ok(Report::new("ingest-single", places.engine(), 0.35, measured, limit)
        .with("connections", CONNECTIONS)
        .with("roles", roles))
}

async fn through(
    system: &System,
    trades: &Arc<[Bytes]>,
    measure: Duration,
) -> Result<(Arc<Vec<User>>, Load), BenchError> {
    let users = Arc::new(system.users(CONNECTIONS).await?);
    let requests = requests("/v1/trades", Arc::clone(&users), Arc::clone(trades));
    let ours = closed_loop(plan(system.addr(), StatusCode::CREATED, measure), requests).await?;
    Ok((users, ours))
}

fn plan(addr: SocketAddr, expect: StatusCode, measure: Duration) -> Plan {
    Plan { addr, connections: CONNECTIONS, expect, warm_up: WARM_UP, measure }
}

fn requests(path: &'static str, users: Arc<Vec<User>>, trades: Arc<[Bytes]>) -> impl Requests {
    move |connection: usize, number: u64| {
        post(path, by_turns(&users, connection), "application/json", next_body(&trades, connection, number))
    }
}
