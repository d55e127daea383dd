//! The route of existing bots.

use std::{sync::Arc, time::Duration};

use hindcast_ingress::IngressConfig;
use hindcast_views::{
    faults::{FaultyViews, ViewFaults},
    memory::MemoryViews,
};
use serde_json::{Value, json};

use crate::app::{App, Setup, USER};

fn body(symbol: &str, pnl: f64) -> String {
    json!({"user_id": USER, "symbol": symbol, "side": "long", "entry_price": 6524.25, "exit_price": 6526.75, "pnl": pnl,
        "entry_vwap": 6530.5, "ml_confidence": 0.7, "duration": 300, "signal": "LONG", "unknown": [1]})
    .to_string()
}

#[tokio::test]
async fn a_saved_trade_is_in_its_totals() {
    let app = App::start().await;
    let key = app.key(USER).await;
    for (count, wins, (symbol, pnl)) in [(1, 1, ("ES", 125.0)), (2, 1, ("NQ", -80.0)), (3, 2, ("ES", 1.0))] {
        let answer = app.post("/api/ml/save_trade", &key, body(symbol, pnl)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!((&answer.body["saved"], &answer.body["behind"]), (&json!(true), &json!(0)));
        assert_eq!(answer.body["user_total_trades"], count);
        assert_eq!(answer.body["user_win_rate"], f64::from(wins) / f64::from(count));
        assert!(answer.body["experience_id"].is_string());
    }
    let other = json!({"user_id": "trader-2"});
    let theirs = crate::app::with(serde_json::from_str(&body("ES", 1.0)).unwrap(), other).to_string();
    assert_eq!(app.post("/api/ml/save_trade", &key, theirs).await.refused(403), "forbidden");
}

#[tokio::test]
async fn sent_again_it_is_the_same() {
    let app = App::start().await;
    let key = app.key(USER).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "trade 1")];
    let first = app.post_with("/api/ml/save_trade", &key, &headers, body("ES", 1.0)).await;
    let again = app.post_with("/api/ml/save_trade", &key, &headers, body("ES", 1.0)).await;
    assert_eq!(first.body["experience_id"], again.body["experience_id"]);
    assert_eq!((&first.body["duplicate"], &again.body["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(again.body["user_total_trades"], 1);
    let answer = app.post_with("/api/ml/save_trade", &key, &headers, body("ES", 2.0)).await;
    assert_eq!(answer.refused(409), "event-id-conflict");
}

#[tokio::test]
async fn a_projection_that_lags_is_told_and_does_not_fail_the_write() {
    let config = IngressConfig { totals_timeout_ms: 20, ..IngressConfig::default() };
    let app = App::start_with(Setup { config, projected: false, ..Setup::default() }).await;
    let key = app.key(USER).await;
    let answer = app.post("/api/ml/save_trade", &key, body("ES", 1.0)).await;
    assert_eq!(answer.status, 200);
    assert_eq!((&answer.body["user_total_trades"], &answer.body["user_win_rate"]), (&json!(0), &json!(0.0)));
    assert!(answer.body["behind"].as_u64().unwrap() > 0);
    assert_eq!(app.journal().len(), 1);
}

#[tokio::test]
async fn views_that_fail_do_not_fail_the_write() {
    let faults = ViewFaults { fail_before: 1.0, delay: Duration::ZERO, ..ViewFaults::default() };
    let config = IngressConfig { totals_timeout_ms: 20, ..IngressConfig::default() };
    let views = Arc::new(FaultyViews::new(Arc::new(MemoryViews::new()), 1, faults));
    let app = App::start_with(Setup { config, views, projected: false, ..Setup::default() }).await;
    let key = app.key(USER).await;
    let answer = app.post("/api/ml/save_trade", &key, body("ES", 1.0)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["saved"]), (200, &json!(true)));
    for unknown in ["user_total_trades", "user_win_rate", "behind"] {
        assert_eq!(answer.body[unknown], Value::Null);
    }
    // Nor do lookups of duplicates.
    let headers = [("content-type", "application/json"), ("idempotency-key", "trade 1")];
    assert_eq!(app.post_with("/api/ml/save_trade", &key, &headers, body("ES", 1.0)).await.status, 200);
    assert_eq!(app.count("hindcast_duplicate_lookups_failed_total"), 1);
    assert_eq!(app.journal().len(), 2);
}
