//! Single events that are taken in.

use hindcast_domain::{MoneyE9, ids::imported_event_id};
use hindcast_journal::RecordType;
use hindcast_schemas::Event;
use serde_json::json;
use uuid::Uuid;

use crate::app::{App, USER, partition, signal, trade, with};

#[tokio::test]
async fn a_signal_and_a_trade_are_recorded() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let id = Uuid::now_v7();
    let body = with(signal(), json!({"event_id": id, "user_id": USER, "strategy": "vwap", "features": {"hour": 14}}));
    let headers = [("content-type", "application/json"), ("traceparent", traceparent)];
    let answer = app.post_with("/v1/signals", &key, &headers, body.to_string()).await;
    let (seen_at, duplicate) = answer.recorded();
    assert!(!duplicate);
    assert_eq!(answer.body["event_id"], id.to_string());
    assert_eq!(seen_at.partition, partition(USER));

    let body = with(trade(), json!({"signal_id": id, "pnl": "125.000000001", "exit_time": "2025-11-14T14:30:00Z"}));
    let answer = app.post("/v1/trades", &key, body.to_string()).await;
    let (closed_at, duplicate) = answer.recorded();
    assert!(!duplicate && closed_at.offset == seen_at.offset + 1);
    let made: Uuid = answer.body["event_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(made.get_version_num(), 7);

    let journal = app.journal();
    let [(first, Event::Signal(signal)), (second, Event::Trade(trade))] = journal.as_slice() else {
        panic!("{journal:?}")
    };
    assert_eq!((*first, *second), (seen_at, closed_at));
    assert_eq!((signal.event_id, signal.user_id.as_ref(), signal.strategy.as_deref()), (id, USER, Some("vwap")));
    assert_eq!(signal.occurred_at, signal.received_at);
    assert_eq!(trade.event_id, made);
    assert_eq!(trade.pnl_e9, MoneyE9(125_000_000_001));
    assert_eq!(trade.occurred_at, trade.exit_time.unwrap());
    let records = app.records();
    assert_eq!(records[0].traceparent.as_deref(), Some(traceparent));
    assert_eq!(records[0].key, USER.as_bytes());
    assert_eq!(records[0].timestamp_us, signal.received_at.0);
    assert_eq!([records[0].record_type, records[1].record_type], [RecordType::Signal, RecordType::Trade]);
    assert_eq!(app.count("hindcast_events_accepted_total{type=\"signal\"}"), 1);
    assert_eq!(app.count("hindcast_events_accepted_total{type=\"trade\"}"), 1);
    assert_eq!(app.count("hindcast_append_seconds_count"), 2);
}

#[tokio::test]
async fn an_idempotency_key_is_an_event_id() {
    let app = App::start().await;
    let (one, other) = (app.key("trader-1").await, app.key("trader-2").await);
    let post = async |key: &str, idempotency_key: &str, body: serde_json::Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", idempotency_key)];
        app.post_with("/v1/trades", key, &headers, body.to_string()).await
    };
    let id = Uuid::now_v7().to_string();
    let answer = post(&one, &id, trade()).await;
    assert_eq!(answer.body["event_id"], id);
    assert_eq!(post(&one, &id, trade()).await.recorded(), (answer.recorded().0, true));

    let named = post(&one, "order 7", trade()).await;
    assert!(!named.recorded().1);
    assert_eq!(post(&one, "order 7", trade()).await.recorded(), (named.recorded().0, true));
    let of_other = post(&other, "order 7", trade()).await;
    assert!(!of_other.recorded().1);
    assert_ne!(of_other.body["event_id"], named.body["event_id"]);

    // Beside the same id in the body it says nothing new; beside another it contradicts.
    let same = with(trade(), json!({"event_id": id}));
    assert!(post(&one, &id, same.clone()).await.recorded().1);
    let answer = post(&one, "order 7", same).await;
    assert_eq!((answer.refused(422), answer.pointers()), ("validation", vec!["/event_id"]));
    assert_eq!(post(&one, "", trade()).await.refused(400), "bad-request");
    assert_eq!(app.journal().len(), 3);
}

#[tokio::test]
async fn users_are_their_own() {
    let app = App::start().await;
    let key = app.key("trader-1").await;
    for path in ["/v1/signals", "/v1/trades"] {
        let body = if path == "/v1/signals" { signal() } else { trade() };
        let answer = app.post(path, &key, with(body, json!({"user_id": "trader-2"})).to_string()).await;
        assert_eq!(answer.refused(403), "forbidden");
    }
    let reader = app.key_with("trader-1", &["replay", "admin"]).await;
    assert_eq!(app.post("/v1/signals", &reader, signal().to_string()).await.refused(403), "forbidden");
    assert_eq!(app.post("/v1/trades", "hc_no_key", trade().to_string()).await.refused(401), "unauthorized");
    assert!(app.journal().is_empty());
    // The same id of two users is two events.
    let other = app.key("trader-2").await;
    let body = with(trade(), json!({"event_id": imported_event_id("any", "thing", 1)})).to_string();
    assert!(!app.post("/v1/trades", &key, body.clone()).await.recorded().1);
    assert!(!app.post("/v1/trades", &other, body).await.recorded().1);
}
