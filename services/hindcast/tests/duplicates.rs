//! The same event sent again counts once, however and whenever it is sent again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Answer, Http, Server, runtime, signal, trade, with};
use uuid::Uuid;

/// A user's view of ES that covers all that is durable.
async fn view(http: &Http, key: &str) -> Value {
    http.caught_up().await;
    // Rows of before may be cached for a second; one that names a position is not answered from them.
    let ends = http.log_ends().await;
    let now = http.get("/v1/views/ES", key).await.json();
    let Some(partition) = now["position"]["partition"].as_u64() else { return now };
    let position = format!("0-{partition}-{}", ends[usize::try_from(partition).unwrap()][0] - 1);
    let headers = [("hindcast-min-position", position.as_str())];
    http.try_send(Method::GET, "/v1/views/ES", Some(key), &headers, "").await.unwrap().json()
}

fn told(answer: &Answer) -> (Value, bool) {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let answer = answer.json();
    (answer["position"].clone(), answer["duplicate"].as_bool().unwrap())
}

async fn post_as(http: &Http, path: &str, key: &str, idempotency_key: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", idempotency_key)];
    http.try_send(Method::POST, path, Some(key), &headers, body.to_string()).await.unwrap()
}

#[test]
fn an_event_counts_once_however_often_and_whenever_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = runtime();
    let body = with(trade("ES", 12.5), json!({"event_id": Uuid::now_v7()}));
    let seen = with(signal("ES"), json!({"event_id": Uuid::now_v7()}));

    let mut server = Server::start(&data);
    let http = Http::new(&server.url);
    let key = runtime.block_on(http.trader("repeater"));
    let first = runtime.block_on(async {
        let (first, duplicate) = told(&http.post("/v1/trades", &key, &body).await);
        assert!(!duplicate);
        for _ in 0..4 {
            assert_eq!(told(&http.post("/v1/trades", &key, &body).await), (first.clone(), true));
        }
        assert!(!told(&http.post("/v1/signals", &key, &seen).await).1);
        assert!(told(&http.post("/v1/signals", &key, &seen).await).1);
        let view = view(&http, &key).await;
        assert_eq!(
            (&view["trades"], &view["wins"], &view["total_pnl"]),
            (&json!(1), &json!(1), &json!(12.5)),
            "{view}"
        );
        assert_eq!(view["signals"], 1, "{view}");
        first
    });
    for killed in [true, false, true] {
        if killed {
            server.kill();
        } else {
            server.stop();
        }
        server = Server::start(&data);
        let http = Http::new(&server.url);
        runtime.block_on(async {
            // At once, when nothing but the journal may know of it.
            assert_eq!(told(&http.post("/v1/trades", &key, &body).await), (first.clone(), true), "killed: {killed}");
            assert!(told(&http.post("/v1/signals", &key, &seen).await).1);
            let other = with(body.clone(), json!({"pnl": -12.5}));
            let refused = http.post("/v1/trades", &key, &other).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
            assert_eq!(refused.problem()["type"], "/problems/event-id-conflict");
            let view = view(&http, &key).await;
            assert_eq!((&view["trades"], &view["signals"]), (&json!(1), &json!(1)), "{view}");
            assert_eq!(view["total_pnl"], 12.5, "{view}");
        });
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_five_times_at_once_it_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let key = http.trader("hasty-repeater").await;
    const EVENTS: usize = 20;
    for event in 0..EVENTS {
        let body = with(trade("ES", 1.0), json!({"event_id": Uuid::now_v7()}));
        let path = if event % 2 == 0 { "/v1/trades" } else { "/v1/events" };
        let sent = if event % 2 == 0 { body } else { json!([with(body, json!({"type": "trade"}))]) };
        let answers = futures::future::join_all((0..5).map(|_| http.post(path, &key, &sent))).await;
        let mut positions: Vec<Value> = Vec::new();
        let mut first = 0;
        for answer in &answers {
            let item = if event % 2 == 0 { answer.json() } else { answer.json()["results"][0].clone() };
            assert!(answer.status.is_success() && item["position"].is_object(), "{answer:?}");
            first += usize::from(item["duplicate"] == false);
            positions.push(item["position"].clone());
        }
        assert!(first >= 1, "somebody was first: {answers:?}");
        // Within one process all that is under way is known.
        assert_eq!(first, 1, "one process knows what it is writing: {answers:?}");
        positions.dedup();
        assert_eq!(positions.len(), 1, "all are told the same place: {answers:?}");
    }
    let view = view(&http, &key).await;
    assert_eq!(
        (view["trades"].as_u64(), view["total_pnl"].as_f64()),
        (Some(EVENTS as u64), Some(EVENTS as f64)),
        "{view}"
    );
    server.stop();
}

#[tokio::test]
async fn within_a_batch_and_across_kinds_and_users() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let (one, other) = (http.trader("batcher-1").await, http.trader("batcher-2").await);
    let id = json!({"event_id": Uuid::now_v7()});
    let as_trade = with(with(trade("ES", 5.0), id.clone()), json!({"type": "trade"}));
    let as_signal = with(with(signal("ES"), id.clone()), json!({"type": "signal"}));
    let differs = with(as_trade.clone(), json!({"exit_price": 1.0}));
    let batch = json!([as_trade, as_trade, as_signal, differs, as_signal]);
    let results = http.post("/v1/events", &one, &batch).await.json()["results"].clone();
    let told: Vec<_> =
        results.as_array().unwrap().iter().map(|r| (r["status"].clone(), r["duplicate"].clone())).collect();
    let (created, conflict) = (json!(201), json!(409));
    // One id names one event of each kind.
    assert_eq!(
        told,
        [
            (created.clone(), json!(false)),
            (created.clone(), json!(true)),
            (created.clone(), json!(false)),
            (conflict, Value::Null),
            (created.clone(), json!(true))
        ],
        "{results}"
    );
    assert_eq!(results[3]["error"]["type"], "/problems/event-id-conflict", "{results}");
    // Another user's event of the same id is another event.
    let results = http.post("/v1/events", &other, &json!([as_trade])).await.json()["results"].clone();
    assert_eq!(results[0]["duplicate"], false, "{results}");
    for key in [&one, &other] {
        let view = view(&http, key).await;
        assert_eq!((&view["trades"], &view["total_pnl"]), (&json!(1), &json!(5.0)), "{view}");
    }
    // A confidence asked for again: the signal counts once, and it is the same decision.
    let asked = with(signal("NQ"), json!({"event_id": Uuid::now_v7()}));
    let first = http.post("/v1/confidence", &one, &asked).await.json();
    let again = http.post("/v1/confidence", &one, &asked).await.json();
    assert_eq!(first["decision_id"], again["decision_id"]);
    // The book that was scored, an absent one, may be cached for a second.
    let position = format!("0-{}-{}", again["position"]["partition"], again["position"]["offset"]);
    let headers = [("hindcast-min-position", position.as_str())];
    let stats = http.try_send(Method::GET, "/api/ml/stats?symbol=NQ", Some(&one), &headers, "").await.unwrap().json();
    assert_eq!(stats["total_signals"], 1, "{stats}");
    server.stop();
}

#[tokio::test]
async fn idempotency_keys_stand_for_event_ids() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let (one, other) = (http.trader("idempotent-1").await, http.trader("idempotent-2").await);
    let body = trade("ES", 2.0);
    let uuid = Uuid::now_v7().to_string();
    for idempotency_key in [uuid.as_str(), "order 7"] {
        let first = post_as(&http, "/v1/trades", &one, idempotency_key, &body).await;
        let again = post_as(&http, "/v1/trades", &one, idempotency_key, &body).await;
        assert_eq!(told(&again), (told(&first).0, true));
        assert!(!told(&first).1);
        assert_eq!(first.json()["event_id"], again.json()["event_id"]);
        let of_other = post_as(&http, "/v1/trades", &other, idempotency_key, &body).await;
        assert!(!told(&of_other).1, "another user's: {of_other:?}");
        assert_eq!(first.json()["event_id"] == of_other.json()["event_id"], idempotency_key == uuid);
        let differs = post_as(&http, "/v1/trades", &one, idempotency_key, &trade("ES", 3.0)).await;
        assert_eq!(differs.status, StatusCode::CONFLICT, "{differs:?}");
    }
    let contradicting = with(body.clone(), json!({"event_id": Uuid::now_v7()}));
    let refused = post_as(&http, "/v1/trades", &one, &uuid, &contradicting).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    // The routes of existing bots, whose bodies have no id.
    let saved = with(body.clone(), json!({"user_id": "idempotent-1", "entry_vwap": 0}));
    let first = post_as(&http, "/api/ml/save_trade", &one, "bot order 1", &saved).await.json();
    let again = post_as(&http, "/api/ml/save_trade", &one, "bot order 1", &saved).await.json();
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)), "{first} {again}");
    assert_eq!(first["experience_id"], again["experience_id"]);
    // A batch identified as a whole.
    let batch = json!([with(body.clone(), json!({"type": "trade"})), with(signal("ES"), json!({"type": "signal"}))]);
    let first = post_as(&http, "/v1/events", &one, "file 1", &batch).await.json();
    let again = post_as(&http, "/v1/events", &one, "file 1", &batch).await.json();
    for item in 0..2 {
        assert_eq!(first["results"][item]["event_id"], again["results"][item]["event_id"]);
        assert_eq!(again["results"][item]["duplicate"], true, "{again}");
    }
    let view = view(&http, &one).await;
    assert_eq!((&view["trades"], &view["signals"]), (&json!(4), &json!(1)), "{view}");
    server.stop();
}

#[test]
fn a_trade_is_taken_back_once_and_stays_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = runtime();
    let mut server = Server::start(&data);
    let http = Http::new(&server.url);
    let (busted, kept) = (Uuid::now_v7(), Uuid::now_v7());
    let body = with(trade("ES", 7.0), json!({"event_id": busted}));
    let path = format!("/v1/trades/{busted}/void");
    let key = runtime.block_on(async {
        let key = http.trader("corrector").await;
        http.post("/v1/trades", &key, &body).await;
        http.post("/v1/trades", &key, &with(trade("ES", 1.0), json!({"event_id": kept}))).await;
        let (place, duplicate) = told(&http.post(&path, &key, &json!({"reason": "busted by the exchange"})).await);
        assert!(!duplicate);
        assert_eq!(told(&http.post(&path, &key, &json!({})).await), (place, true));
        let at_once = futures::future::join_all((0..5).map(|_| http.post(&path, &key, &Value::Null))).await;
        assert!(at_once.iter().all(|answer| answer.status != StatusCode::CREATED), "null is no body: {at_once:?}");
        let stranger = http.trader("corrector-2").await;
        let refused = http.post(&path, &stranger, &json!({})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "another user's trade: {refused:?}");
        key
    });
    for round in 0..2 {
        if round == 1 {
            server.kill();
            server = Server::start(&data);
        }
        let http = Http::new(&server.url);
        runtime.block_on(async {
            assert!(told(&http.post(&path, &key, &json!({})).await).1);
            assert!(
                told(&http.post("/v1/trades", &key, &body).await).1,
                "the trade sent again is still the same trade"
            );
            let view = view(&http, &key).await;
            assert_eq!((&view["trades"], &view["total_pnl"]), (&json!(1), &json!(1.0)), "{view}");
            assert_eq!(view["trades_voided"], 1, "{view}");
        });
    }
    server.stop();
}

#[test]
fn a_bulk_import_can_be_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = runtime();
    let mut server = Server::start(&data);
    let http = Http::new(&server.url);
    let key = runtime.block_on(http.trader("importer"));
    let rows = |numbers: std::ops::Range<u64>| -> Value {
        let row = |n| with(trade("ES", 1.0), json!({"type": "trade", "import": {"source": "file-1", "sequence": n}}));
        numbers.map(row).collect()
    };
    async fn duplicates(http: &Http, key: &str, batch: &Value) -> Vec<bool> {
        let answer = http.post("/v1/events", key, batch).await;
        let results = answer.json()["results"].clone();
        results.as_array().unwrap().iter().map(|r| r["duplicate"].as_bool().expect("recorded")).collect()
    }
    runtime.block_on(async {
        assert_eq!(duplicates(&http, &key, &rows(1..101)).await, [false; 100]);
        assert_eq!(duplicates(&http, &key, &rows(1..101)).await, [true; 100]);
        // Broken off half way and run again.
        let again = duplicates(&http, &key, &rows(51..151)).await;
        assert_eq!(again.iter().filter(|known| **known).count(), 50, "{again:?}");
        let other = with(trade("ES", 1.0), json!({"type": "trade", "import": {"source": "file-2", "sequence": 1}}));
        assert_eq!(duplicates(&http, &key, &json!([other])).await, [false], "another source");
    });
    server.kill();
    server = Server::start(&data);
    let http = Http::new(&server.url);
    runtime.block_on(async {
        assert_eq!(duplicates(&http, &key, &rows(1..151)).await, [true; 150]);
        let view = view(&http, &key).await;
        assert_eq!(view["trades"], 151, "{view}");
    });
    server.stop();
}
