//! API keys: known, unknown, garbled, expired, revoked, of another user, without the scope.

use std::time::Duration;

use hindcast_control::ControlConfig;
use hindcast_domain::TimestampUs;
use hindcast_service_kit::{auth::AuthConfig, clock::now_us, server::ServerConfig};

use crate::service::{SIGNAL, Service, request, x_api_key};

#[tokio::test]
async fn a_key_is_taken_in_either_header() {
    let service = Service::start().await;
    let key = service.key("trader-1", &["trade"]).await;
    let bearer = format!("authorization: Bearer {}", key.secret);
    for headers in [&[x_api_key(&key).as_str()][..], &[&bearer], &[&bearer, &x_api_key(&key)]] {
        let answer = service.post("/v1/signals", headers, SIGNAL).await;
        assert_eq!((answer.status, answer.json()["user"].as_str()), (200, Some("trader-1")), "{answer:?}");
    }
    let other = service.key("trader-2", &["trade"]).await;
    let answer = service.post("/v1/signals", &[&bearer, &x_api_key(&other)], SIGNAL).await;
    answer.problem(401, "unauthorized");
}

#[tokio::test]
async fn nothing_else_is_taken() {
    let service = Service::start().await;
    let key = service.key("trader-1", &["trade"]).await;
    let flipped = if key.secret.ends_with('a') { "b" } else { "a" };
    let almost = format!("{}{flipped}", &key.secret[..key.secret.len() - 1]);
    for header in [
        "x-unrelated: 1".to_owned(),
        "x-api-key: ".to_owned(),
        format!("x-api-key: {almost}"),
        format!("x-api-key: {}", key.secret.to_uppercase()),
        format!("x-api-key: {}", key.id),
        format!("authorization: Basic {}", key.secret),
        format!("authorization: {}", key.secret),
        "authorization: Bearer".to_owned(),
        "authorization: Bearer hc_\u{fffd}".to_owned(),
        format!("authorization: Bearer {}", "x".repeat(5_000)),
    ] {
        let problem = service.post("/v1/signals", &[&header], SIGNAL).await;
        assert_eq!(problem.header("www-authenticate"), Some("Bearer realm=\"hindcast\""), "{header}");
        problem.problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn keys_end() {
    let service = Service::start().await;
    let in_a_moment = TimestampUs(now_us().0 + 300_000);
    let short = service.key_with("trader-1", &["trade"], Some(in_a_moment), None).await;
    let revoked = service.key("trader-2", &["trade"]).await;
    for key in [&short, &revoked] {
        assert_eq!(service.post("/v1/signals", &[&x_api_key(key)], SIGNAL).await.status, 200);
    }
    service.revoke(&revoked).await;
    let problem = service.post("/v1/signals", &[&x_api_key(&revoked)], SIGNAL).await.problem(401, "unauthorized");
    assert_eq!(problem["detail"], "the API key was revoked");
    tokio::time::sleep(Duration::from_millis(350)).await;
    let problem = service.post("/v1/signals", &[&x_api_key(&short)], SIGNAL).await.problem(401, "unauthorized");
    assert_eq!(problem["detail"], "the API key has expired");
}

#[tokio::test]
async fn scopes_and_users_are_kept_apart() {
    let service = Service::start().await;
    let trader = x_api_key(&service.key("trader-1", &["trade"]).await);
    let admin = x_api_key(&service.key("operator", &["admin"]).await);
    assert_eq!(service.get("/admin", &[&admin]).await.status, 200);
    service.get("/admin", &[&trader]).await.problem(403, "forbidden");
    service.post("/v1/signals", &[&admin], SIGNAL).await.problem(403, "forbidden");
    for (user, status) in [("trader-1", 200), ("trader-2", 403)] {
        let body = SIGNAL.replacen('{', &format!("{{\"user_id\": \"{user}\", "), 1);
        assert_eq!(service.post("/v1/signals", &[&trader], &body).await.status, status, "{user}");
    }
}

#[tokio::test]
async fn with_settings_that_can_not_be_read_no_key_is_good() {
    // Stale a moment after each look.
    let control = ControlConfig { stale_after_ms: 0, ..ControlConfig::default() };
    let service = Service::start_with(AuthConfig::default(), control, ServerConfig::default()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut seen = Vec::new();
    for _ in 0..20 {
        let answer = service.send(&request("GET", "/admin", &["x-api-key: hc_a_b"], b"")).await;
        seen.push(answer.status);
        if answer.status == 503 {
            answer.problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
            return;
        }
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    panic!("never refused: {seen:?}");
}
