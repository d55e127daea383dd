//! What clients are told while the log or the store is away, and that everything goes on by itself afterwards.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use hindcast_test_services::Temporary;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::{
    support::{Answer, Http, runtime, signal, trade, with},
    system::{RECOVERY, Services, System},
};

/// The configured delivery time-out, the answer's own and some for a machine that is busy.
const BOUND: Duration = Duration::from_secs(8);

async fn metric(http: &Http, name: &str) -> f64 {
    let answer = http.try_send(Method::GET, "/metrics", None, &[], "").await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn with_the_log_down_writes_are_refused_in_bounded_time() {
    let mut kafka = Temporary::kafka(1).unwrap();
    let name = kafka.nodes()[0].name().to_owned();
    let mut system = System::new(Services { kafka: kafka.addresses(), ..Services::shared() });
    for role in ["admin", "ingress-1", "projector-1", "confidence-1"] {
        system.start(role);
    }
    let runtime = runtime();
    let (ingress, confidence) = (system.http("ingress-1"), system.http("confidence-1"));
    let key = runtime.block_on(system.http("admin").trader("patient"));
    sleep(Duration::from_secs(2));
    runtime.block_on(async {
        assert_eq!(ingress.post("/v1/trades", &key, &trade("ES", 1.0)).await.status, StatusCode::CREATED);
    });
    kafka.node(&name).unwrap().kill().unwrap();
    runtime.block_on(async {
        let mut most_queued: f64 = 0.0;
        for _ in 0..4 {
            let writes = (0..32).map(|number| {
                let (http, path) = match number % 2 {
                    0 => (&ingress, "/v1/trades"),
                    _ => (&confidence, "/v1/confidence"),
                };
                let body = if number % 2 == 0 { trade("ES", 1.0) } else { signal("ES") };
                let body = with(body, json!({"event_id": Uuid::now_v7()}));
                let key = &key;
                async move {
                    let began = Instant::now();
                    let answer = http.post(path, key, &body).await;
                    (answer, began.elapsed())
                }
            });
            for (answer, took) in futures::future::join_all(writes).await {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
                let problem = answer.problem();
                assert!(matches!(problem["outcome"].as_str(), Some("none" | "unknown")), "{problem}");
                assert!(answer.header("retry-after").is_some());
                assert!(took < BOUND, "refused after {took:?}");
            }
            most_queued = most_queued.max(metric(&ingress, "hindcast_log_queue_records ").await);
        }
        assert!(most_queued <= 64.0, "the queue grows: {most_queued} records");
        degraded_but_ready(&ingress).await;
    });
    kafka.node(&name).unwrap().start().unwrap();
    runtime.block_on(async {
        for (http, path, body) in
            [(&ingress, "/v1/trades", trade("ES", 2.0)), (&confidence, "/v1/confidence", signal("ES"))]
        {
            let answer = until_success(http, path, &key, &body).await;
            assert!(answer.status.is_success());
        }
        system.until_healthy().await;
        system.http("admin").caught_up().await;
    });
    system.stop_all();
    kafka.stop().unwrap();
}

/// What all processes share is down: that is told, and no reason to send requests elsewhere.
async fn degraded_but_ready(http: &Http) {
    let health = http.try_send(Method::GET, "/health", None, &[], "").await.unwrap();
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE, "{health:?}");
    let ready = http.try_send(Method::GET, "/readyz", None, &[], "").await.unwrap();
    assert_eq!((ready.status, &ready.json()["status"]), (StatusCode::OK, &"degraded".into()), "{ready:?}");
}

async fn until_success(http: &Http, path: &str, key: &str, body: &serde_json::Value) -> Answer {
    let began = Instant::now();
    loop {
        let answer = http.post(path, key, body).await;
        if answer.status.is_success() {
            println!("{path} went on {:?} after it could", began.elapsed());
            return answer;
        }
        assert!(began.elapsed() < RECOVERY, "it does not go on by itself: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Users whose histories differ, so that an answer of another one's would show.
const USERS: usize = 6;

#[test]
fn with_the_store_down_nobody_gets_a_wrong_or_another_ones_number() {
    let mut store = Temporary::cassandra().unwrap();
    let name = store.nodes()[0].name().to_owned();
    let mut system = System::new(Services { cql: store.addresses(), ..Services::shared() });
    for role in ["admin", "ingress-1", "projector-1", "confidence-1"] {
        system.start(role);
    }
    let runtime = runtime();
    let (ingress, confidence) = (system.http("ingress-1"), system.http("confidence-1"));
    let keys: Vec<String> =
        (0..USERS).map(|user| runtime.block_on(system.http("admin").trader(&format!("storeless-{user}")))).collect();
    sleep(Duration::from_secs(2));
    let dry = "/v1/confidence?dry_run=true";
    let before: BTreeMap<usize, f64> = runtime.block_on(async {
        for (user, key) in keys.iter().enumerate() {
            let trades: Vec<_> = (0..40)
                .map(|number| {
                    with(
                        trade("ES", if number % (user + 2) == 0 { 10.0 } else { -10.0 }),
                        json!({"type": "trade", "entry_rsi": 28.5}),
                    )
                })
                .collect();
            let answer = ingress.post("/v1/events", key, &trades.into()).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
        system.http("admin").caught_up().await;
        // A row that was looked for before its trades were there is forgotten after a second.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let mut before = BTreeMap::new();
        // The last of them is in no cache.
        for (user, key) in keys.iter().enumerate().take(USERS - 1) {
            before.insert(user, confidence.post(dry, key, &signal("ES")).await.json()["confidence"].as_f64().unwrap());
        }
        before
    });
    let distinct: std::collections::BTreeSet<u64> = before.values().map(|confidence| confidence.to_bits()).collect();
    assert_eq!(distinct.len(), before.len(), "an answer tells whose it is: {before:?}");

    store.node(&name).unwrap().kill().unwrap();
    let (mut cached, mut refused) = (0, 0);
    runtime.block_on(async {
        // Writes go on: they need the log only.
        let answer = ingress.post("/v1/trades", &keys[0], &trade("ES", 1.0)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        // Another process learns of it within milliseconds, as a rule.
        tokio::time::sleep(Duration::from_millis(500)).await;
        for round in 0..6 {
            for (user, key) in keys.iter().enumerate() {
                let began = Instant::now();
                let answer = confidence.post(dry, key, &signal("ES")).await;
                assert!(began.elapsed() < BOUND, "answered after {:?}", began.elapsed());
                if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                    refused += 1;
                    assert!(answer.header("retry-after").is_some(), "{answer:?}");
                    continue;
                }
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                let answer = answer.json();
                assert_eq!(answer["confidence"].as_f64(), before.get(&user).copied(), "round {round}: {answer}");
                assert!(answer["behind"].is_u64(), "{answer}");
                if user == 0 {
                    assert_ne!(answer["behind"], 0, "a trade is not in it: {answer}");
                }
                cached += 1;
            }
        }
        // A proxy goes on sending both what they can still do.
        degraded_but_ready(&confidence).await;
        degraded_but_ready(&ingress).await;
    });
    println!("with the store down: {cached} answers from the cache, {refused} refused");
    assert!(refused > 0, "what is in no cache can't be answered");
    assert!(cached > 0, "rows that were read while the store was up can still be answered from");

    store.node(&name).unwrap().start().unwrap();
    runtime.block_on(async {
        for key in &keys {
            until_success(&confidence, dry, key, &signal("ES")).await;
        }
        system.until_healthy().await;
        system.http("admin").caught_up().await;
    });
    system.stop_all();
    store.stop().unwrap();
}
