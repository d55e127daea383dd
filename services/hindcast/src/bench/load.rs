//! Load over HTTP/1.1 keep-alive connections, the same client for our path and for its limit.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use super::BenchError;

/// Makes the next request of a connection: (connection, number of the request on it).
pub(super) trait Requests: Fn(usize, u64) -> Request<Full<Bytes>> + Clone + Send + 'static {}
impl<F: Fn(usize, u64) -> Request<Full<Bytes>> + Clone + Send + 'static> Requests for F {}

/// What a load found.
pub(super) struct Load {
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) latency_us: Histogram<u64>,
}

impl Load {
    pub(super) fn nothing() -> Result<Self, BenchError> {
        Ok(Self { requests: 0, seconds: 0.0, latency_us: new_histogram()? })
    }

    /// Takes what another load of the same kind found as found by this one.
    pub(super) fn add(&mut self, other: &Self) -> Result<(), BenchError> {
        self.requests += other.requests;
        self.seconds += other.seconds;
        self.latency_us.add(&other.latency_us).map_err(|error| BenchError(error.to_string()))
    }

    pub(super) fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    pub(super) fn percentile_us(&self, percentile: f64) -> u64 {
        self.latency_us.value_at_percentile(percentile)
    }
}

/// Where a load goes and how.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) addr: SocketAddr,
    pub(super) connections: usize,
    pub(super) expect: StatusCode,
    /// Before anything is counted.
    pub(super) warm_up: Duration,
    pub(super) measure: Duration,
}

/// Each connection sends its next request as soon as the last one was answered.
pub(super) async fn closed_loop(plan: Plan, requests: impl Requests) -> Result<Load, BenchError> {
    run(plan, requests, |_| None).await
}

/// Requests are sent on a fixed schedule; an answer's latency counts from when its request was due.
pub(super) async fn open_loop(plan: Plan, per_second: f64, requests: impl Requests) -> Result<Load, BenchError> {
    let interval = Duration::from_secs_f64(plan.connections as f64 / per_second);
    run(plan, requests, move |connection| {
        let first = interval.mul_f64(connection as f64 / plan.connections as f64);
        Some((first, interval))
    })
    .await
}

async fn run(
    plan: Plan,
    requests: impl Requests,
    schedule: impl Fn(usize) -> Option<(Duration, Duration)>,
) -> Result<Load, BenchError> {
    let mut senders = Vec::new();
    for _ in 0..plan.connections {
        senders.push(connect(plan.addr).await?);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (connection, sender) in senders.into_iter().enumerate() {
        let task = Connection { plan, connection, sender, start, schedule: schedule(connection) };
        tasks.spawn(task.drive(requests.clone()));
    }
    let mut latency_us = new_histogram()?;
    while let Some(joined) = tasks.join_next().await {
        let part = joined.map_err(|error| BenchError(format!("a connection of the load failed: {error}")))??;
        latency_us.add(&part).map_err(|error| BenchError(error.to_string()))?;
    }
    Ok(Load { requests: latency_us.len(), seconds: plan.measure.as_secs_f64(), latency_us })
}

struct Connection {
    plan: Plan,
    connection: usize,
    sender: SendRequest<Full<Bytes>>,
    start: Instant,
    /// When the first request is due, and how long after it each next one.
    schedule: Option<(Duration, Duration)>,
}

impl Connection {
    async fn drive(mut self, requests: impl Requests) -> Result<Histogram<u64>, BenchError> {
        let count_from = self.start + self.plan.warm_up;
        let end = count_from + self.plan.measure;
        let mut latency_us = new_histogram()?;
        let mut number = 0;
        loop {
            let due = match self.schedule {
                None => Instant::now(),
                Some((first, interval)) => {
                    let due = self.start + first + interval.mul_f64(number as f64);
                    tokio::time::sleep_until(due.into()).await;
                    due
                }
            };
            if due >= end {
                return Ok(latency_us);
            }
            self.send(requests(self.connection, number)).await?;
            let answered = Instant::now();
            number += 1;
            if due >= count_from && answered <= end {
                let micros = u64::try_from((answered - due).as_micros()).unwrap_or(u64::MAX);
                latency_us.saturating_record(micros);
            }
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(), BenchError> {
        let failed = |error: hyper::Error| BenchError(format!("a request of the load failed: {error}"));
        self.sender.ready().await.map_err(failed)?;
        let response = self.sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
        if status == self.plan.expect {
            return Ok(());
        }
        let text = String::from_utf8_lossy(body.get(..500).unwrap_or(&body)).into_owned();
        Err(BenchError(format!("a request of the load was answered {status}, not {}: {text}", self.plan.expect)))
    }
}

async fn connect(addr: SocketAddr) -> Result<SendRequest<Full<Bytes>>, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError(format!("can't connect to {addr}: {error}"));
    let stream = TcpStream::connect(addr).await.map_err(|e| failed(&e))?;
    stream.set_nodelay(true).map_err(|e| failed(&e))?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
    tokio::spawn(connection);
    Ok(sender)
}

pub(super) fn new_histogram() -> Result<Histogram<u64>, BenchError> {
    Histogram::new_with_bounds(1, 60_000_000, 3).map_err(|error| BenchError(error.to_string()))
}
