//! Trades that are taken back.

use std::sync::Arc;

use hindcast_domain::{Position, void_event_id};
use hindcast_schemas::Event;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{App, Setup, USER, partition, signal, trade, with};

fn path(trade: impl std::fmt::Display) -> String {
    format!("/v1/trades/{trade}/void")
}

async fn report(app: &App, key: &str, id: Uuid) -> Position {
    let body = with(trade(), json!({"event_id": id, "strategy": "vwap", "simulated": true}));
    app.post("/v1/trades", key, body.to_string()).await.recorded().0
}

fn position_json(position: Position) -> Value {
    json!({"epoch": position.epoch, "partition": position.partition, "offset": position.offset})
}

#[tokio::test]
async fn a_trade_is_taken_back_once() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let id = Uuid::now_v7();
    let trade_position = report(&app, &key, id).await;
    let answer = app.post_with(&path(id), &key, &[], "").await;
    let (position, duplicate) = answer.recorded();
    assert!(!duplicate);
    assert_eq!(answer.body["event_id"], void_event_id(USER, id).to_string());
    for body in ["{}", "{\"reason\": \"busted\"}"] {
        assert_eq!(app.post(&path(id), &key, body).await.recorded(), (position, true));
    }
    app.projected().await;
    assert_eq!(app.post(&path(id), &key, "").await.recorded(), (position, true));
    let journal = app.journal();
    let [_, (_, Event::Void(void))] = journal.as_slice() else { panic!("{journal:?}") };
    assert_eq!((void.trade_event_id, void.trade_position), (id, trade_position));
    assert_eq!((void.symbol.as_ref(), void.strategy.as_deref()), ("ES", Some("vwap")));
    assert_eq!((void.trade_pnl_e9.0, void.trade_simulated), (125_000_000_000, true));
    assert_eq!(void.reason, None);
}

#[tokio::test]
async fn a_trade_is_found_whether_projected_or_remembered_or_named() {
    let setup = Setup::default();
    let (log, views) = (Arc::clone(&setup.log), Arc::clone(&setup.views));
    let app = App::start_with(setup).await;
    let key = app.key(USER).await;
    let ids: Vec<_> = (0..3).map(|_| Uuid::now_v7()).collect();
    let mut positions = Vec::new();
    for &id in &ids {
        positions.push(report(&app, &key, id).await);
    }
    // Under way or just acknowledged: known in memory.
    app.post(&path(ids[0]), &key, "{\"reason\": \"busted\"}").await.recorded();
    app.projected().await;
    drop(app);

    // Known to the views.
    let app = App::start_with(Setup { log: Arc::clone(&log), views, ..Setup::default() }).await;
    let key = app.key(USER).await;
    assert!(!app.post(&path(ids[1]), &key, "{}").await.recorded().1);
    assert!(app.post(&path(ids[0]), &key, "{}").await.recorded().1);
    drop(app);

    // Known to nobody but the client: nothing is projected, as with a trade that left the window of ids.
    let app = App::start_with(Setup { log, projected: false, ..Setup::default() }).await;
    let key = app.key(USER).await;
    let named = |position: Position| json!({"position": position_json(position)}).to_string();
    assert!(!app.post(&path(ids[2]), &key, named(positions[2])).await.recorded().1);
    assert!(app.post(&path(ids[2]), &key, named(positions[2])).await.recorded().1);
    // Another trade's position, another event's.
    assert_eq!(app.post(&path(Uuid::now_v7()), &key, named(positions[2])).await.refused(404), "not-found");
    let other = app.key("trader-2").await;
    let theirs = report(&app, &other, Uuid::now_v7()).await;
    assert_eq!(theirs.partition == partition(USER), partition("trader-2") == partition(USER));
    assert_eq!(app.journal().iter().filter(|(_, event)| matches!(event, Event::Void(_))).count(), 3);
}

#[tokio::test]
async fn what_is_no_trade_of_the_caller_is_not_found() {
    let app = App::start().await;
    let (key, other) = (app.key(USER).await, app.key("trader-2").await);
    assert_eq!(app.post(&path(Uuid::now_v7()), &key, "{}").await.refused(404), "not-found");
    let id = Uuid::now_v7();
    let position = report(&app, &key, id).await;
    assert_eq!(app.post(&path(id), &other, "{}").await.refused(404), "not-found");
    let seen = with(signal(), json!({"event_id": Uuid::now_v7()}));
    let at = app.post("/v1/signals", &key, seen.to_string()).await.recorded().0;
    let seen_id = seen["event_id"].as_str().unwrap();
    assert_eq!(app.post(&path(seen_id), &key, "{}").await.refused(404), "not-found");
    let named = json!({"position": position_json(at)}).to_string();
    assert_eq!(app.post(&path(seen_id), &key, named).await.refused(404), "not-found");
    assert_eq!(app.post(&path("no-uuid"), &key, "{}").await.refused(404), "not-found");
    assert_eq!(app.post(&path(id), &key, "[]").await.refused(422), "validation");
    assert_eq!(app.post(&path(id), &key, "{\"event_id\": 1}").await.refused(422), "validation");

    // Positions that can't be.
    let wrong = Position { partition: (position.partition + 1) % crate::app::PARTITIONS, ..position };
    let future = Position { epoch: 1, ..position };
    for bad in [wrong, future] {
        let named = json!({"position": position_json(bad)}).to_string();
        assert_eq!(app.post(&path(Uuid::now_v7()), &key, named).await.refused(400), "bad-request");
    }
    let beyond = Position { offset: 1_000, ..position };
    let named = json!({"position": position_json(beyond)}).to_string();
    assert_eq!(app.post(&path(Uuid::now_v7()), &key, named).await.refused(410), "gone");
    let headers = |position: Position| position.to_string();
    for (bad, status) in [(headers(wrong), 400), (headers(beyond), 410), ("x".to_owned(), 400)] {
        let answer = app.post_with(&path(Uuid::now_v7()), &key, &[("hindcast-min-position", &bad)], "").await;
        answer.refused(status);
    }
    assert_eq!(app.journal().len(), 2);
}

#[tokio::test]
async fn a_void_waits_for_the_projection_that_would_know_its_trade() {
    let app = App::start_with(Setup { projected: false, ..Setup::default() }).await;
    let key = app.key(USER).await;
    // Some record, so that there is something to be projected.
    report(&app, &key, Uuid::now_v7()).await;
    let answer = app.post(&path(Uuid::now_v7()), &key, "{}").await;
    assert_eq!(answer.refused(503), "projection-behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_voids_at_once_are_one() {
    let app = Arc::new(App::start().await);
    let key = app.key(USER).await;
    let id = Uuid::now_v7();
    report(&app, &key, id).await;
    let posts: Vec<_> = (0..5)
        .map(|n| {
            let (app, key) = (Arc::clone(&app), key.clone());
            let body = json!({"reason": format!("reason {n}")}).to_string();
            tokio::spawn(async move { app.post(&path(id), &key, body).await.recorded() })
        })
        .collect();
    let mut answers = Vec::new();
    for post in posts {
        answers.push(post.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|(_, duplicate)| !duplicate).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|(position, _)| *position == answers[0].0), "{answers:?}");
    assert_eq!(app.journal().len(), 2);
}
