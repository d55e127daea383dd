//! What every answer has, and what happens to requests that nobody expects.

use crate::service::{Service, request};

#[tokio::test]
async fn unknown_routes_methods_and_parameters() {
    let service = Service::start().await;
    let problem = service.get("/v2/signals?key=secret", &[]).await.problem(404, "not-found");
    assert_eq!(problem["detail"], "there is no route /v2/signals");
    let answer = service.get("/v1/signals", &[]).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
    let answer = service.send(&request("BREW", "/items/1", &[], b"")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    service.get("/items/many", &[]).await.problem(404, "not-found");
    service.get("/items/1?limit=many", &[]).await.problem(400, "bad-request");
    service.get("/items/1?other=1", &[]).await.problem(400, "bad-request");
    let metrics = service.metrics();
    for line in [
        r#"hindcast_http_requests_total{method="GET",route="none",status="404"} 1"#,
        r#"hindcast_http_requests_total{method="GET",route="/v1/signals",status="405"} 1"#,
        r#"hindcast_http_requests_total{method="other",route="/items/{number}",status="405"} 1"#,
        r#"hindcast_http_requests_total{method="GET",route="/items/{number}",status="400"} 2"#,
        "hindcast_http_requests_in_flight 0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("secret"));
}

#[tokio::test]
async fn request_ids_and_trace_contexts() {
    let service = Service::start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = service.get("/items/7?limit=3", &["x-request-id: bot-1/9", &format!("traceparent: {trace}")]).await;
    assert_eq!(answer.header("x-request-id"), Some("bot-1/9"));
    assert_eq!(
        answer.json(),
        serde_json::json!({"number": 7, "limit": 3, "request_id": "bot-1/9", "traceparent": trace})
    );
    for bad in ["x-request-id: two words", "x-request-id: <script>", "traceparent: nonsense"] {
        let answer = service.get("/items/7", &[bad]).await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(uuid::Uuid::try_parse(id).unwrap().get_version_num(), 7, "{bad}");
        assert_eq!(answer.json()["request_id"], id);
        assert!(answer.json()["traceparent"].is_null());
    }
    assert_eq!(service.get("/nowhere", &["x-request-id: n-1"]).await.problem(404, "not-found")["instance"], "n-1");
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_service_lives_on() {
    let service = Service::start().await;
    for _ in 0..3 {
        let answer = service.get("/panic", &[]).await;
        answer.problem(500, "internal");
        assert!(!answer.body.contains("secret"), "{answer:?}");
    }
    assert_eq!(service.get("/items/1", &[]).await.status, 200);
    let metrics = service.metrics();
    assert!(metrics.contains(r#"hindcast_http_requests_total{method="GET",route="/panic",status="500"} 3"#));
    assert!(metrics.contains("hindcast_http_requests_in_flight 0"));
}

#[tokio::test]
async fn what_operators_are_told_clients_are_not() {
    let service = Service::start().await;
    let answer = service.post("/fail", &[], "{}").await;
    let problem = answer.problem(503, "unavailable");
    assert_eq!(problem["outcome"], "unknown");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.body.contains("secret") && !answer.body.contains("fsync"), "{answer:?}");
}

#[tokio::test]
async fn errors_of_the_framework_become_problems_and_own_bodies_stay() {
    let service = Service::start().await;
    let answer = service.get("/teapot", &[]).await;
    answer.problem(418, "bad-request");
    assert!(!answer.body.contains("stout"));
    let answer = service.get("/degraded", &[]).await;
    assert_eq!((answer.status, answer.json()), (503, serde_json::json!({"status": "degraded"})));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let service = Service::start().await;
    service.get("/items/1", &[]).await;
    let answer = service.get("/metrics", &[]).await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    let expected = r#"hindcast_http_request_seconds_count{route="/items/{number}"} 1"#;
    assert!(answer.body.contains(expected), "{answer:?}");
    #[cfg(target_os = "linux")]
    assert!(answer.body.contains("process_resident_memory_bytes"));
}
