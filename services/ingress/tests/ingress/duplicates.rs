//! Events that are sent again.

use std::sync::Arc;

use hindcast_ingress::IngressConfig;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{App, Setup, USER, signal, trade, with};

fn identified(body: Value) -> Value {
    with(body, json!({"event_id": Uuid::now_v7()}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_at_once_are_stored_once() {
    let app = Arc::new(App::start().await);
    let key = app.key(USER).await;
    for round in 0..50 {
        let (path, body) = if round % 2 == 0 { ("/v1/signals", signal()) } else { ("/v1/trades", trade()) };
        let body = identified(body).to_string();
        let posts: Vec<_> = (0..5)
            .map(|_| {
                let (app, key, body) = (Arc::clone(&app), key.clone(), body.clone());
                tokio::spawn(async move { app.post(path, &key, body).await.recorded() })
            })
            .collect();
        let mut answers = Vec::new();
        for post in posts {
            answers.push(post.await.unwrap());
        }
        assert!(answers.iter().all(|(position, _)| *position == answers[0].0), "{answers:?}");
        assert_eq!(answers.iter().filter(|(_, duplicate)| !duplicate).count(), 1, "{answers:?}");
    }
    assert_eq!(app.journal().len(), 50);
    assert_eq!(app.count("hindcast_events_known_total{type=\"trade\"}"), 25 * 4);
}

#[tokio::test]
async fn another_event_under_a_known_id_is_a_conflict() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let body = identified(trade());
    let (first, _) = app.post("/v1/trades", &key, body.to_string()).await.recorded();
    let answer = app.post("/v1/trades", &key, with(body.clone(), json!({"pnl": -125.0})).to_string()).await;
    assert_eq!(answer.refused(409), "event-id-conflict");
    // The same said in other words is the same.
    let reworded = with(body.clone(), json!({"pnl": "125", "entry_price": "6524.250", "strategy": null}));
    assert_eq!(app.post("/v1/trades", &key, reworded.to_string()).await.recorded(), (first, true));
    // Kinds have ids of their own.
    let signal = with(signal(), json!({"event_id": body["event_id"]}));
    assert!(!app.post("/v1/signals", &key, signal.to_string()).await.recorded().1);
    assert_eq!(app.journal().len(), 2);
}

#[tokio::test]
async fn a_restarted_service_knows_them_from_the_views() {
    let setup = Setup::default();
    let (log, views) = (Arc::clone(&setup.log), Arc::clone(&setup.views));
    // Nothing is projected when the first process ends.
    let app = App::start_with(Setup { projected: false, ..setup }).await;
    let key = app.key(USER).await;
    let body = identified(trade());
    let (first, duplicate) = app.post("/v1/trades", &key, body.to_string()).await.recorded();
    assert!(!duplicate);
    drop(app);

    let app = App::start_with(Setup { log, views, ..Setup::default() }).await;
    let key = app.key(USER).await;
    for _ in 0..3 {
        assert_eq!(app.post("/v1/trades", &key, body.to_string()).await.recorded(), (first, true));
    }
    let other = with(body, json!({"exit_price": 1}));
    assert_eq!(app.post("/v1/trades", &key, other.to_string()).await.refused(409), "event-id-conflict");
    assert_eq!(app.journal().len(), 1);
}

#[tokio::test]
async fn what_memory_forgot_the_views_know() {
    let config = IngressConfig { recent_ids: 16, ..IngressConfig::default() };
    let app = App::start_with(Setup { config, ..Setup::default() }).await;
    let key = app.key(USER).await;
    let body = identified(trade());
    let (first, _) = app.post("/v1/trades", &key, body.to_string()).await.recorded();
    for _ in 0..200 {
        app.post("/v1/trades", &key, identified(trade()).to_string()).await.recorded();
    }
    app.projected().await;
    // A row that was read before may be used for a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(app.post("/v1/trades", &key, body.to_string()).await.recorded(), (first, true));
    assert_eq!(app.journal().len(), 201);
}
