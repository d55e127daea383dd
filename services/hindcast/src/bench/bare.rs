//! The limit of the HTTP benchmarks: axum with nothing but a parser and an answer, on the same runtime.

use std::net::SocketAddr;

use axum::{Json, Router, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::BenchError;

/// The fields of a signal and of a trade that the benchmarks send.
#[derive(Deserialize)]
#[allow(dead_code)] // parsing them is what is measured
struct Body {
    symbol: String,
    side: String,
    price: Option<f64>,
    rsi: Option<f64>,
    vwap: Option<f64>,
    atr: Option<f64>,
    volume_ratio: Option<f64>,
    strategy: Option<String>,
    entry_price: Option<f64>,
    exit_price: Option<f64>,
    pnl: Option<f64>,
    entry_rsi: Option<f64>,
    entry_vwap: Option<f64>,
}

#[derive(Serialize)]
struct Answer {
    confidence: f64,
    interval: [f64; 2],
    action: &'static str,
    symbol: String,
}

/// What it answers.
pub(super) const STATUS: StatusCode = StatusCode::OK;

async fn answer(Json(body): Json<Body>) -> (StatusCode, Json<Answer>) {
    let confidence = body.rsi.or(body.entry_rsi).unwrap_or(50.0) / 100.0;
    let answer = Answer { confidence, interval: [0.25, 0.75], action: "TAKE", symbol: body.symbol };
    (STATUS, Json(answer))
}

/// Serves until the task is aborted.
pub(super) async fn start() -> Result<(SocketAddr, tokio::task::JoinHandle<()>), BenchError> {
    let failed = |error: std::io::Error| BenchError(format!("can't listen on 127.0.0.1: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let router = Router::new().route("/", post(answer));
    let task = tokio::spawn(async move {
        use axum::serve::ListenerExt;
        let listener = listener.tap_io(|stream| {
            // Small answers must not wait for more, as in our own server.
            let _ = stream.set_nodelay(true);
        });
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the bare server of the benchmark ended");
        }
    });
    Ok((addr, task))
}
