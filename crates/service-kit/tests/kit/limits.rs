//! How often users and addresses may ask.

use hindcast_control::ControlConfig;
use hindcast_service_kit::{auth::AuthConfig, server::ServerConfig};

use crate::service::{SIGNAL, Service, x_api_key};

async fn start(auth: AuthConfig) -> Service {
    Service::start_with(auth, ControlConfig::default(), ServerConfig::default()).await
}

#[tokio::test]
async fn the_request_beyond_the_burst_is_told_when_to_come_back() {
    let service = start(AuthConfig { requests_per_minute: 2, burst: 5, ..AuthConfig::default() }).await;
    let (one, two) = (service.key("trader-1", &["trade"]).await, service.key("trader-1", &["trade"]).await);
    let other = service.key("trader-2", &["trade"]).await;
    for request in 0..5 {
        let key = if request % 2 == 0 { &one } else { &two };
        assert_eq!(service.post("/v1/signals", &[&x_api_key(key)], SIGNAL).await.status, 200, "{request}");
    }
    for key in [&one, &two] {
        let answer = service.post("/v1/signals", &[&x_api_key(key)], SIGNAL).await;
        answer.problem(429, "too-many-requests");
        let retry_after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((25..=30).contains(&retry_after), "{answer:?}");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"requests\";q=2;w=60"));
        assert_eq!(answer.header("ratelimit"), Some(format!("\"requests\";r=0;t={retry_after}").as_str()));
    }
    assert_eq!(service.post("/v1/signals", &[&x_api_key(&other)], SIGNAL).await.status, 200);
    // A batch costs one and what its handler charges beyond.
    assert_eq!(service.post("/v1/events", &[&x_api_key(&other)], "[]").await.status, 200);
    service.post("/v1/signals", &[&x_api_key(&other)], SIGNAL).await.problem(429, "too-many-requests");
    assert!(service.metrics().contains(r#"hindcast_http_refused_total{reason="too-many-requests"} 3"#));
}

#[tokio::test]
async fn a_key_may_have_a_limit_of_its_own() {
    let service = start(AuthConfig { requests_per_minute: 1, burst: 1, ..AuthConfig::default() }).await;
    let common = service.key("trader-1", &["trade"]).await;
    let own = service.key_with("trader-1", &["trade"], None, Some(7)).await;
    let mut allowed = 0;
    for _ in 0..9 {
        allowed += u32::from(service.post("/v1/signals", &[&x_api_key(&own)], SIGNAL).await.status == 200);
    }
    assert_eq!(allowed, 7);
    assert_eq!(service.post("/v1/signals", &[&x_api_key(&common)], SIGNAL).await.status, 200);
}

#[tokio::test]
async fn an_address_that_guesses_is_turned_away_before_keys_are_looked_up() {
    let auth = AuthConfig {
        failures_per_minute: 3,
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..AuthConfig::default()
    };
    let service = start(auth).await;
    let key = service.key("trader-1", &["trade"]).await;
    let (guesser, other) = ("x-forwarded-for: 203.0.113.7", "x-forwarded-for: 203.0.113.8");
    for _ in 0..4 {
        service.post("/v1/signals", &[guesser, "x-api-key: hc_a_guess"], SIGNAL).await.problem(401, "unauthorized");
    }
    for credentials in ["x-api-key: hc_a_guess".to_owned(), x_api_key(&key), "x-no-credentials: 1".to_owned()] {
        let answer = service.post("/v1/signals", &[guesser, &credentials], SIGNAL).await;
        answer.problem(429, "too-many-requests");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    assert_eq!(service.post("/v1/signals", &[other, &x_api_key(&key)], SIGNAL).await.status, 200);
}

#[tokio::test]
async fn good_credentials_from_a_busy_address_are_never_held_against_it() {
    let service = start(AuthConfig { failures_per_minute: 1, ..AuthConfig::default() }).await;
    let key = service.key("trader-1", &["trade"]).await;
    for _ in 0..20 {
        assert_eq!(service.post("/v1/signals", &[&x_api_key(&key)], SIGNAL).await.status, 200);
    }
}
