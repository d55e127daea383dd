//! The client against a server that misbehaves in known ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use hindcast::client::{Call, Client, ClientError, RetryLimits};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    addr
}

fn client(addr: SocketAddr) -> Client {
    Client::new(&format!("http://{addr}"), Some("hc_test"), RetryLimits { patience: Duration::from_secs(3) }).unwrap()
}

fn refusal(status: StatusCode, outcome: &str) -> axum::response::Response {
    (status, [(header::RETRY_AFTER, "0")], Json(json!({"title": "Refused", "outcome": outcome}))).into_response()
}

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// Refuses `times` times, then answers with the key it was given.
fn refusing(status: StatusCode, outcome: &'static str, times: usize) -> (Router, Bodies) {
    let seen = Bodies::default();
    let bodies = Arc::clone(&seen);
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        let mut bodies = bodies.lock().unwrap();
        bodies.push(body);
        if bodies.len() <= times {
            return refusal(status, outcome);
        }
        Json(json!({"key": headers.get("x-api-key").unwrap().to_str().unwrap()})).into_response()
    };
    (Router::new().route("/v1/trades", post(handler)), seen)
}

#[tokio::test]
async fn what_is_refused_for_a_while_is_sent_again_unchanged() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS] {
        let (router, bodies) = refusing(status, "unknown", 2);
        let client = client(serve(router).await);
        let answer: Value = client.fetch(&Call::post_event("/v1/trades", "{\"event_id\":1}")).await.unwrap();
        assert_eq!(answer, json!({"key": "hc_test"}));
        let bodies = bodies.lock().unwrap();
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| body.as_ref() == b"{\"event_id\":1}"));
    }
}

#[tokio::test]
async fn what_would_count_twice_is_sent_again_only_if_it_surely_did_not_happen() {
    let (router, bodies) = refusing(StatusCode::SERVICE_UNAVAILABLE, "unknown", 2);
    let unsure = client(serve(router).await);
    let error = unsure.send(&Call::post_once("/v1/trades", "{}")).await.unwrap_err();
    assert!(error.to_string().starts_with("Refused (503)"), "{error}");
    assert_eq!(bodies.lock().unwrap().len(), 1);

    let (router, bodies) = refusing(StatusCode::SERVICE_UNAVAILABLE, "none", 2);
    let sure = client(serve(router).await);
    sure.send(&Call::post_once("/v1/trades", "{}")).await.unwrap();
    assert_eq!(bodies.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn patience_ends() {
    let (router, bodies) = refusing(StatusCode::SERVICE_UNAVAILABLE, "none", usize::MAX);
    let addr = serve(router).await;
    let limits = RetryLimits { patience: Duration::from_millis(400) };
    let client = Client::new(&format!("http://{addr}"), None, limits).unwrap();
    assert!(client.send(&Call::post_event("/v1/trades", "{}")).await.is_err());
    assert!((2..=5).contains(&bodies.lock().unwrap().len()));
}

#[tokio::test]
async fn a_bad_request_is_told_at_once() {
    let (router, bodies) = refusing(StatusCode::UNPROCESSABLE_ENTITY, "none", 1);
    let client = client(serve(router).await);
    let error = client.send(&Call::post_event("/v1/trades", "{}")).await.unwrap_err();
    assert_eq!(error.to_string(), "Refused (422)");
    assert_eq!(bodies.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_position_is_handed_on() {
    let write = || async { (StatusCode::CREATED, [("hindcast-position", "1-3-77")], "{}") };
    let read = |headers: HeaderMap| async move {
        Json(json!(headers.get("hindcast-min-position").map(|value| value.to_str().unwrap().to_owned())))
    };
    let router = Router::new().route("/v1/trades", post(write)).route("/v1/views/ES", get(read));
    let client = client(serve(router).await);
    let written = client.send(&Call::post_event("/v1/trades", "{}")).await.unwrap();
    let position: Value = client.fetch(&Call::get("/v1/views/ES").after(Some(&written))).await.unwrap();
    assert_eq!(position, json!("1-3-77"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    // Bound and dropped: nothing listens there now.
    let addr = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let error = client(addr).send(&Call::get("/health")).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }));
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn another_program_behind_the_url_is_told() {
    let router = Router::new().route("/v1/views/ES", get(|| async { "<html>" }));
    let error = client(serve(router).await).fetch::<Value>(&Call::get("/v1/views/ES")).await.unwrap_err();
    assert!(error.to_string().contains("is not one of hindcast"), "{error}");
}
