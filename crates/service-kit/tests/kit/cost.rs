//! What authentication and the edge cost. Says so, asserts no time: `cargo test --release -- --ignored --nocapture cost`.

use std::{sync::Arc, time::Instant};

use axum::{Router, body::Body, routing::get};
use hindcast_control::ControlConfig;
use hindcast_service_kit::{
    auth::AuthConfig,
    server::ServerConfig,
    telemetry::{Edge, TelemetryConfig},
};
use prometheus::Registry;
use tower::ServiceExt;

use crate::service::Service;

#[tokio::test]
#[ignore = "a measurement"]
async fn cost_of_admitting_a_request() {
    let auth = AuthConfig { requests_per_minute: u32::MAX, burst: u32::MAX, ..AuthConfig::default() };
    let service = Service::start_with(auth, ControlConfig::default(), ServerConfig::default()).await;
    let mut keys = Vec::new();
    for user in 0..1_000 {
        keys.push(service.key(&format!("trader-{user}"), &["trade"]).await);
    }
    let token = |secret: &str| {
        let request = http::Request::builder().header("x-api-key", secret).body(()).unwrap();
        let caller = service.gate.admit(&request.into_parts().0).unwrap();
        service.gate.issue_token(&caller).unwrap().access_token
    };
    let by_token: Vec<_> = keys.iter().map(|key| format!("Bearer {}", token(&key.secret))).collect();
    let by_key: Vec<_> = keys.iter().map(|key| format!("Bearer {}", key.secret)).collect();
    for (what, credentials) in [("key", &by_key), ("token", &by_token)] {
        let requests: Vec<_> = credentials
            .iter()
            .map(|value| http::Request::builder().header("authorization", value).body(()).unwrap().into_parts().0)
            .collect();
        for round in ["first", "again"] {
            let began = Instant::now();
            let times = if round == "first" { 1 } else { 100 };
            for _ in 0..times {
                for parts in &requests {
                    std::hint::black_box(service.gate.admit(parts).unwrap());
                }
            }
            let each = began.elapsed() / u32::try_from(requests.len()).unwrap() / times;
            println!("{what}, {round}: {each:?} a request");
        }
        let requests = Arc::new(requests);
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let (gate, requests) = (&service.gate, Arc::clone(&requests));
                scope.spawn(move || {
                    for _ in 0..100 {
                        for parts in &*requests {
                            std::hint::black_box(gate.admit(parts).unwrap());
                        }
                    }
                });
            }
        });
        println!("{what}, two threads at once: {:?} a request of each", began.elapsed() / 100_000);
    }
}

#[tokio::test]
#[ignore = "a measurement"]
async fn cost_of_the_edge() {
    let bare = Router::new().route("/items", get(|| async { "an answer" }));
    for access_log in [None, Some(false), Some(true)] {
        let router = match access_log {
            None => bare.clone(),
            Some(access_log) => Edge::new(&Registry::new(), access_log).unwrap().around(bare.clone()),
        };
        let began = Instant::now();
        for _ in 0..200_000 {
            let request = http::Request::get("/items").body(Body::empty()).unwrap();
            std::hint::black_box(router.clone().oneshot(request).await.unwrap());
        }
        println!("edge with access log {access_log:?}: {:?} a request", began.elapsed() / 200_000);
    }
}

/// The same with spans that are written, as in a running service.
#[tokio::test]
#[ignore = "a measurement"]
async fn cost_of_the_edge_with_logging() {
    hindcast_service_kit::telemetry::init(&TelemetryConfig::default()).unwrap();
    let edge = Edge::new(&Registry::new(), false).unwrap();
    let router = edge.around(Router::new().route("/items", get(|| async { "an answer" })));
    let began = Instant::now();
    for _ in 0..200_000 {
        let request = http::Request::get("/items").body(Body::empty()).unwrap();
        std::hint::black_box(router.clone().oneshot(request).await.unwrap());
    }
    println!("edge with logging: {:?} a request", began.elapsed() / 200_000);
}
