//! Bad input: each its own problem, and nothing stored.

use serde_json::json;

use crate::app::{App, USER, signal, trade, with};

#[tokio::test]
async fn what_is_no_json() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let deep = format!("{{\"price\":{}}}", "[".repeat(30_000) + &"]".repeat(30_000));
    for path in [
        "/v1/signals",
        "/v1/trades",
        "/v1/events",
        "/api/ml/save_trade",
        "/v1/trades/7ad1dbb2-6ebb-4fb0-b4a8-0ef0a6f2b1a4/void",
    ] {
        for bad in ["{", "{\"price\":NaN}", "{\"price\":-Infinity}", "nonsense", "{\"a\":1}}"] {
            assert_eq!(app.post(path, &key, bad).await.refused(400), "malformed-body", "{path} {bad}");
        }
        let utf8 = app.post(path, &key, b"{\"strategy\":\"\xff\"}".to_vec()).await;
        assert_eq!(utf8.refused(400), "malformed-body");
    }
    for path in ["/v1/signals", "/v1/trades", "/api/ml/save_trade"] {
        assert_eq!(app.post(path, &key, "{\"entry_price\":1e999}").await.refused(400), "malformed-body", "{path}");
        assert_eq!(app.post(path, &key, deep.clone()).await.refused(400), "malformed-body", "{path}");
    }
    assert!(app.journal().is_empty());
}

#[tokio::test]
async fn all_faults_of_a_body_at_once() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let body = json!({"symbol": "GC", "side": "long", "price": 0, "rsi": 101, "vwap": "1.0000000001", "volume": -1,
        "event_id": 1, "user_id": "a b", "occurred_at": "today", "extra": {}, "features": {"x": "1"}});
    let answer = app.post("/v1/signals", &key, body.to_string()).await;
    assert_eq!(answer.refused(422), "validation");
    assert_eq!(
        answer.pointers(),
        [
            "/event_id",
            "/extra",
            "/features/x",
            "/occurred_at",
            "/price",
            "/rsi",
            "/side",
            "/symbol",
            "/user_id",
            "/volume",
            "/vwap"
        ]
    );
    let answer = app.post("/v1/trades", &key, "[]").await;
    assert_eq!((answer.refused(422), answer.pointers()), ("validation", vec![""]));
    let answer = app.post("/api/ml/save_trade", &key, "{\"entry_price\": -1}").await;
    assert_eq!(
        answer.pointers(),
        ["/entry_price", "/entry_vwap", "/exit_price", "/pnl", "/side", "/symbol", "/user_id"]
    );
    assert!(app.journal().is_empty());
}

#[tokio::test]
async fn sizes_and_content_types() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let long = "x".repeat(70_000);
    let large = with(trade(), json!({"strategy": long})).to_string();
    for path in ["/v1/signals", "/v1/trades", "/api/ml/save_trade"] {
        assert_eq!(app.post(path, &key, large.clone()).await.refused(413), "payload-too-large");
        for headers in [vec![], vec![("content-type", "text/plain")], vec![("content-type", "application/x-ndjson")]] {
            let answer = app.post_with(path, &key, &headers, signal().to_string()).await;
            assert_eq!(answer.refused(415), "unsupported-media-type");
        }
    }
    let huge = " ".repeat((1 << 20) + 1);
    assert_eq!(app.post("/v1/events", &key, huge).await.refused(413), "payload-too-large");
    let answer = app.post_with("/v1/events", &key, &[("content-type", "text/csv")], "a,b").await;
    assert_eq!(answer.refused(415), "unsupported-media-type");
    assert!(app.journal().is_empty());
}
