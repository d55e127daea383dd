//! The HTTP surface holds to its own OpenAPI document, whatever is sent: requests that fit it and such as don't, made
//! from the document itself.
//!
//! `HINDCAST_SEED` repeats a run, `HINDCAST_FUZZ_CASES` changes how many requests each operation gets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod requests;
mod schema;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use requests::{Operation, Sent};
use serde_json::{Value, json};
use support::{Answer, Http, Server, runtime, seed};

const OPENAPI_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// A system whose limits and waits don't get in the way.
fn start(folder: &tempfile::TempDir) -> Server {
    Server::start_with(
        &folder.path().join("data"),
        &[
            ("HINDCAST_AUTH__FAILURES_PER_MINUTE", "10000000"),
            ("HINDCAST_CONFIDENCE__CONTROL_TIMEOUT_MS", "5"),
            // A service that fails says why in its log lines, which are shown when the test fails.
            ("HINDCAST_TELEMETRY__FILTER", "error"),
        ],
    )
}

async fn document(http: &Http) -> Value {
    let answer = http.try_send(Method::GET, "/openapi.json", None, &[], "").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// Credentials of every kind, by what they are.
async fn credentials(http: &Http) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let limit = Some(100_000_000);
    let keys = [
        ("trade", http.key(requests::USER, &["trade"], limit).await),
        ("replay", http.key(requests::USER, &["replay"], limit).await),
        ("admin", http.key(requests::USER, &["admin"], limit).await),
        ("all", http.key(requests::USER, &["trade", "replay", "admin"], limit).await),
    ];
    let all = keys[3].1.clone();
    let token = http.post("/v1/auth/token", &all, &json!({})).await.json()["access_token"].as_str().unwrap().to_owned();
    let mut credentials: Vec<_> = keys.into_iter().map(|(scope, key)| (scope, vec![("x-api-key", key)])).collect();
    credentials.push(("token", vec![("authorization", format!("Bearer {token}"))]));
    credentials.push(("none", Vec::new()));
    credentials.push(("garbled", vec![("x-api-key", format!("{all}x"))]));
    credentials.push(("no token", vec![("authorization", "Bearer a.b.c".to_owned())]));
    credentials.push(("two", vec![("authorization", format!("Bearer {token}")), ("x-api-key", all)]));
    credentials
}

#[test]
fn no_answer_is_outside_the_document() {
    let seed = seed();
    let cases: u32 = std::env::var("HINDCAST_FUZZ_CASES").map_or(200, |text| text.parse().unwrap());
    println!("seed {seed}, {cases} requests for each operation");
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let (http, runtime) = (Http::new(&server.url), runtime());
    let (document, credentials) = runtime.block_on(async { (document(&http).await, credentials(&http).await) });
    runtime.block_on(plant(&http, &credentials[0].1[0].1));
    runtime.block_on(plant_generations(&http));
    let operations = Operation::all(&document);
    assert!(operations.len() >= 18, "{} operations", operations.len());
    let mut failures = Vec::new();
    let mut statuses: BTreeMap<String, BTreeMap<u16, usize>> = BTreeMap::new();
    for operation in &operations {
        let config = Config {
            cases,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        };
        let name = format!("{} {}", operation.method, operation.path);
        let counts = std::cell::RefCell::new(BTreeMap::new());
        let result = TestRunner::new(config).run(&operation.requests(&document, credentials.len()), |sent| {
            let answer = runtime.block_on(send(&http, operation, &sent, &credentials[sent.credential].1));
            let answer = answer.map_err(|error| TestCaseError::fail(format!("no answer: {error}")))?;
            *counts.borrow_mut().entry(answer.status.as_u16()).or_default() += 1;
            judge(&document, operation, &answer).map_err(|fault| TestCaseError::fail(format!("{fault}\n{answer:?}")))
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(why, sent)) => {
                failures.push(format!("{name} as {}: {why}\nsent {sent:#?}", credentials[sent.credential].0));
            }
            Err(TestError::Abort(why)) => failures.push(format!("{name}: {why}")),
        }
        statuses.insert(name, counts.into_inner());
    }
    for (name, counts) in &statuses {
        println!("{name}: {counts:?}");
    }
    assert!(failures.is_empty(), "HINDCAST_SEED={seed} repeats this\n{}", failures.join("\n\n"));
    // A fuzz that is always refused at the door proves nothing.
    for (name, counts) in &statuses {
        let answered: usize = counts.range(200..300).map(|(_, count)| count).sum();
        assert!(answered > 0 || name.contains("{id}"), "{name} was never answered: {counts:?}");
    }
    runtime.block_on(async {
        let health = http.try_send(Method::GET, "/health", None, &[], "").await.unwrap();
        assert_eq!(health.status, StatusCode::OK, "{health:?}");
        http.caught_up().await;
        let metrics = http.try_send(Method::GET, "/metrics", None, &[], "").await.unwrap();
        let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
        let rejected = metrics.lines().filter(|line| line.starts_with("hindcast_rejected_records_total{"));
        assert!(
            rejected.clone().all(|line| line.ends_with(" 0")),
            "what was taken in can be folded: {:?}",
            rejected.collect::<Vec<_>>()
        );
    });
    server.stop();
}

/// Trades of the ids that requests are made with, so that there is something to take back.
async fn plant(http: &Http, key: &str) {
    let trade = |id| {
        let id = uuid::Uuid::from_u128(id);
        support::with(support::trade("ES", 1.0), json!({"type": "trade", "event_id": id}))
    };
    let answer = http.post("/v1/events", key, &requests::KNOWN_IDS.map(trade).collect()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

/// A set of generations that was cut over to, so that there is something to go back to.
async fn plant_generations(http: &Http) {
    let operator = http.operator().await;
    let [_, ring, _] = requests::RINGS;
    let name = requests::set_of(ring).fingerprint();
    let path = |step: &str| format!("/admin/v1/reprojections/{name}{step}");
    let plan = json!({"generations": {"book": {"params": {"ring_trades": ring}}}});
    assert_eq!(http.post("/admin/v1/reprojections", &operator, &plan).await.status, StatusCode::CREATED);
    for (step, done) in [("/build", "verifying"), ("/verify", "ready"), ("/cutover", "active")] {
        let answer = http.post(&path(step), &operator, &json!({})).await;
        assert!(answer.status.is_success(), "{answer:?}");
        while http.get(&path(""), &operator).await.json()["stage"] != done {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

async fn send(
    http: &Http,
    operation: &Operation,
    sent: &Sent,
    credentials: &[(&'static str, String)],
) -> Result<Answer, String> {
    let mut headers: Vec<(&str, &str)> = credentials.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.extend(sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    http.try_send(operation.method.clone(), &sent.target, None, &headers, sent.body.clone()).await
}

fn judge(document: &Value, operation: &Operation, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16();
    if status >= 500 && status != 503 {
        return Err(format!("the service failed with {status}"));
    }
    let Some(documented) = operation.responses.get(status.to_string()) else {
        return Err(format!("{status} is not documented"));
    };
    if answer.header("x-request-id").is_none_or(str::is_empty) {
        return Err("no x-request-id".to_owned());
    }
    for name in documented["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        // A dry run writes nothing, a view of nothing covers nothing.
        if answer.header(name).is_none() && name != "Hindcast-Position" {
            return Err(format!("the documented header {name} is missing"));
        }
    }
    let Some(contents) = documented["content"].as_object() else {
        return if answer.body.is_empty() { Ok(()) } else { Err("no body is documented".to_owned()) };
    };
    let content_type = answer.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let Some(content) = contents.get(media_type) else {
        return Err(format!("{content_type:?} is not documented for {status}"));
    };
    match media_type {
        "application/json" | "application/problem+json" => {
            let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
            schema::check(document, &content["schema"], &body)?;
            if media_type == "application/problem+json" { judge_problem(answer, &body) } else { Ok(()) }
        }
        "application/x-ndjson" => {
            let mut lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.try_for_each(|line| {
                serde_json::from_slice::<Value>(line).map(|_| ()).map_err(|error| error.to_string())
            })
        }
        _ => Ok(()),
    }
}

fn judge_problem(answer: &Answer, problem: &Value) -> Result<(), String> {
    let fault = |what: &str| Err(format!("{what} in {problem}"));
    if problem["status"] != answer.status.as_u16() {
        return fault("another status");
    }
    if problem["instance"].as_str() != answer.header("x-request-id") {
        return fault("another instance");
    }
    if !problem["type"].as_str().is_some_and(|kind| kind.starts_with("/problems/")) {
        return fault("no type");
    }
    if ["title", "detail"].iter().any(|field| problem[field].as_str().is_none_or(str::is_empty)) {
        return fault("no title or detail");
    }
    if problem["errors"].as_array().is_some_and(Vec::is_empty) {
        return fault("an empty list of errors");
    }
    if matches!(answer.status.as_u16(), 429 | 503) && answer.header("retry-after").is_none() {
        return fault("no Retry-After");
    }
    Ok(())
}

#[test]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let document = runtime().block_on(document(&Http::new(&server.url)));
    server.stop();
    let served = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("HINDCAST_UPDATE_GOLDEN").is_some() {
        std::fs::write(OPENAPI_FILE, &served).unwrap();
    }
    let kept = std::fs::read_to_string(OPENAPI_FILE).unwrap_or_default();
    assert!(kept == served, "docs/openapi.json is not what is served; HINDCAST_UPDATE_GOLDEN=1 writes it anew");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    for (method, path) in [
        ("post", "/v1/signals"),
        ("post", "/v1/trades"),
        ("post", "/v1/trades/{event_id}/void"),
        ("post", "/v1/events"),
        ("post", "/v1/confidence"),
        ("get", "/v1/views/{symbol}"),
        ("get", "/v1/activity"),
        ("post", "/v1/auth/token"),
        ("get", "/v1/auth/jwks"),
        ("get", "/v1/journal"),
        ("post", "/admin/v1/keys"),
        ("get", "/admin/v1/keys"),
        ("delete", "/admin/v1/keys/{id}"),
        ("get", "/admin/v1/status"),
        ("get", "/admin/v1/dead-letters"),
        ("post", "/api/ml/get_confidence"),
        ("post", "/api/ml/save_trade"),
        ("get", "/api/ml/stats"),
        ("get", "/health"),
        ("get", "/livez"),
        ("get", "/readyz"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path} is not described");
    }
}

#[tokio::test]
async fn what_no_route_takes_is_a_problem_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let http = Http::new(&server.url);
    for path in
        ["/", "/v1", "/v1/", "/v2/signals", "/v1/signals/", "/V1/signals", "/%00", "/v1/views/", "/admin/v1/keys/a/b"]
    {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::OPTIONS] {
            let answer = http.try_send(method.clone(), path, None, &[], "{}").await.unwrap();
            assert!(matches!(answer.status.as_u16(), 404 | 405), "{method} {path}: {answer:?}");
            judge_problem(&answer, &answer.problem()).unwrap();
        }
    }
    for (method, path) in [(Method::GET, "/v1/signals"), (Method::POST, "/v1/views/ES"), (Method::PUT, "/health")] {
        let answer = http.try_send(method.clone(), path, None, &[], "").await.unwrap();
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}: {answer:?}");
        assert!(answer.header("allow").is_some(), "{answer:?}");
        judge_problem(&answer, &answer.problem()).unwrap();
    }
    server.stop();
}
