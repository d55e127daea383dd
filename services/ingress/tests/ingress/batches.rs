//! Batches.

use hindcast_domain::ids::imported_event_id;
use hindcast_schemas::Event;
use hindcast_service_kit::auth::AuthConfig;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Answer, App, Setup, USER, position, signal, trade, with};

fn signal_item() -> Value {
    with(signal(), json!({"type": "signal"}))
}

fn trade_item() -> Value {
    with(trade(), json!({"type": "trade"}))
}

fn imported(sequence: u64) -> Value {
    with(trade_item(), json!({"import": {"source": "file", "sequence": sequence}}))
}

async fn post_lines(app: &App, key: &str, items: &[Value]) -> Answer {
    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    app.post_with("/v1/events", key, &[("content-type", "application/x-ndjson")], lines).await
}

fn results(answer: &Answer) -> &[Value] {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["results"].as_array().unwrap()
}

fn statuses(answer: &Answer) -> Vec<u64> {
    results(answer).iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

fn duplicates(answer: &Answer) -> Vec<bool> {
    results(answer).iter().map(|result| result["duplicate"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn arrays_and_lines_are_answered_item_by_item() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let items = [signal_item(), trade_item(), with(trade_item(), json!({"event_id": Uuid::now_v7()}))];
    for answer in [
        app.post("/v1/events", &key, json!(items).to_string()).await,
        post_lines(&app, &key, &[signal_item(), trade_item()]).await,
    ] {
        let results = results(&answer);
        assert!(results.iter().all(|result| result["status"] == 201 && result["duplicate"] == false));
        let positions: Vec<_> = results.iter().map(|result| position(&result["position"]).offset).collect();
        assert!(positions.is_sorted(), "{positions:?}");
        let last = position(&results.last().unwrap()["position"]);
        assert_eq!(answer.headers["hindcast-position"], last.to_string());
    }
    let ids: std::collections::HashSet<_> = app.journal().iter().map(|(_, event)| event.event_id()).collect();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_bad_item_does_not_spoil_the_others() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let good = signal_item().to_string();
    let lines = [
        good.as_str(),
        "not json",
        "{\"type\":\"signal\"}",
        "",
        &with(trade_item(), json!({"user_id": "trader-2"})).to_string(),
        &with(trade_item(), json!({"entry_price": "1.0000000001", "pnl": null})).to_string(),
        "[1]",
        &good,
    ]
    .join("\r\n");
    let headers = [("content-type", "application/x-ndjson")];
    let answer = app.post_with("/v1/events", &key, &headers, lines.into_bytes()).await;
    assert_eq!(statuses(&answer), [201, 400, 422, 403, 422, 422, 201]);
    let results = results(&answer);
    assert_eq!(results[1]["error"]["type"], "/problems/malformed-body");
    assert_eq!(results[2]["error"]["errors"].as_array().unwrap().len(), 4);
    assert_eq!(results[2]["error"]["status"], 422);
    assert!(results[2]["error"]["instance"].is_string());
    let pointers: Vec<_> =
        results[4]["error"]["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/entry_price", "/pnl"]);
    assert_eq!(app.journal().len(), 2);
    assert_eq!(app.count("hindcast_batch_items_refused_total"), 5);
}

#[tokio::test]
async fn a_thousand_events_and_no_more() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let answer = post_lines(&app, &key, &vec![signal_item(); 1_000]).await;
    assert_eq!(statuses(&answer), [201; 1_000]);
    for answer in [
        post_lines(&app, &key, &vec![signal_item(); 1_001]).await,
        app.post("/v1/events", &key, json!(vec![signal_item(); 1_001]).to_string()).await,
    ] {
        assert_eq!((answer.refused(422), answer.pointers()), ("validation", vec![""]));
    }
    assert_eq!(app.journal().len(), 1_000);
    let answer = app.post("/v1/events", &key, "[]").await;
    assert!(results(&answer).is_empty() && !answer.headers.contains_key("hindcast-position"));
    assert_eq!(app.post("/v1/events", &key, "{}").await.refused(422), "validation");
    assert_eq!(app.post("/v1/events", &key, "[{},]").await.refused(400), "malformed-body");
}

#[tokio::test]
async fn a_batch_costs_a_request_for_each_hundred_events_begun() {
    let auth = AuthConfig { requests_per_minute: 1, burst: 10, ..AuthConfig::default() };
    let app = App::start_with(Setup { auth, ..Setup::default() }).await;
    let key = app.key(USER).await;
    // 1, 2 and 7 of 10.
    for events in [100, 101, 700] {
        assert_eq!(statuses(&post_lines(&app, &key, &vec![signal_item(); events]).await).len(), events);
    }
    let answer = post_lines(&app, &key, &[signal_item()]).await;
    assert_eq!(answer.refused(429), "too-many-requests");
    assert_eq!(app.journal().len(), 901);
    // What costs more than is left is refused as a whole.
    let key = app.key("trader-2").await;
    assert_eq!(statuses(&post_lines(&app, &key, &vec![signal_item(); 500]).await).len(), 500);
    assert_eq!(post_lines(&app, &key, &vec![signal_item(); 600]).await.refused(429), "too-many-requests");
    assert_eq!(app.journal().len(), 1_401);
}

#[tokio::test]
async fn the_same_event_twice_in_a_batch_is_stored_once() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let one = with(trade_item(), json!({"event_id": Uuid::now_v7()}));
    let other = with(one.clone(), json!({"pnl": 1}));
    let answer = post_lines(&app, &key, &[one.clone(), one.clone(), other, one]).await;
    assert_eq!(statuses(&answer), [201, 201, 409, 201]);
    let results = results(&answer);
    assert_eq!(results[2]["error"]["type"], "/problems/event-id-conflict");
    assert_eq!(results[0]["position"], results[3]["position"]);
    assert_eq!([&results[0]["duplicate"], &results[1]["duplicate"]], [&json!(false), &json!(true)]);
    assert_eq!(app.journal().len(), 1);
}

#[tokio::test]
async fn an_import_can_be_run_again() {
    let setup = Setup::default();
    let (log, views) = (std::sync::Arc::clone(&setup.log), std::sync::Arc::clone(&setup.views));
    let app = App::start_with(setup).await;
    let key = app.key(USER).await;
    let items: Vec<_> = (1..=1_000).map(imported).collect();
    assert!(duplicates(&post_lines(&app, &key, &items).await).iter().all(|duplicate| !duplicate));
    let journal = app.journal();
    let Event::Trade(trade) = &journal[6].1 else { panic!("a trade") };
    assert_eq!(trade.event_id, imported_event_id(USER, "file", 7));
    // More than the window of ids holds, so that only the sequence tells of the first ones.
    let more: Vec<_> = (1_001..=2_000).map(imported).collect();
    assert!(duplicates(&post_lines(&app, &key, &more).await).iter().all(|duplicate| !duplicate));
    app.projected().await;
    drop(app);

    // Another process, which remembers nothing.
    let app = App::start_with(Setup { log, views, ..Setup::default() }).await;
    let key = app.key(USER).await;
    let answer = post_lines(&app, &key, &items).await;
    assert!(duplicates(&answer).iter().all(|&duplicate| duplicate));
    assert_eq!(results(&answer)[0]["position"], Value::Null);
    assert_eq!(results(&answer)[0]["event_id"], imported_event_id(USER, "file", 1).to_string());
    let answer = post_lines(&app, &key, &more).await;
    assert!(duplicates(&answer).iter().all(|&duplicate| duplicate));
    assert!(results(&answer).last().unwrap()["position"].is_object());
    assert_eq!(app.journal().len(), 2_000);
    assert_eq!(duplicates(&post_lines(&app, &key, &[imported(2_001)]).await), [false]);
}

#[tokio::test]
async fn a_batch_can_be_identified_as_a_whole() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let own = with(signal_item(), json!({"event_id": Uuid::now_v7()}));
    let body = json!([trade_item(), own, trade_item()]).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "batch 1")];
    let first = app.post_with("/v1/events", &key, &headers, body.clone()).await;
    let again = app.post_with("/v1/events", &key, &headers, body).await;
    assert_eq!((duplicates(&first), duplicates(&again)), (vec![false; 3], vec![true; 3]));
    for (first, again) in results(&first).iter().zip(results(&again)) {
        assert_eq!((&first["event_id"], &first["position"]), (&again["event_id"], &again["position"]));
    }
    assert_eq!(results(&first)[1]["event_id"], own["event_id"]);
    assert_eq!(app.journal().len(), 3);
}
