//! A read that names the position of a write sees that write; and how the process starts, tells of itself, and stops.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::time::{Duration, Instant};

use hindcast_domain::partition_of;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Answer, Http, Server, runtime, signal, trade, with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

async fn read(http: &Http, path: &str, key: &str, header: (&str, &str)) -> Answer {
    http.try_send(Method::GET, path, Some(key), &[header], "").await.unwrap()
}

async fn view_from(http: &Http, key: &str, write: &Answer) -> Value {
    assert!(write.status.is_success(), "{write:?}");
    let position = write.header("hindcast-position").unwrap_or_else(|| panic!("no position: {write:?}"));
    let answer = read(http, "/v1/views/ES", key, ("hindcast-min-position", position)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_names_a_write_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let key = http.trader("reader-1").await;
    // Something for the projector to do meanwhile.
    let noise = tokio::spawn({
        let (http, key) = (http.clone(), http.trader("noisy-neighbour").await);
        async move {
            let batch = Value::Array(vec![with(trade("NQ", 1.0), json!({"type": "trade"})); 200]);
            loop {
                http.post("/v1/events", &key, &batch).await;
            }
        }
    });
    let (mut trades, mut signals, mut voided) = (0, 0, 0);
    for round in 0..40 {
        // A row that was just read is in the cache, and must not be what the next read is answered from.
        read(&http, "/v1/views/ES", &key, ("accept", "*/*")).await;
        let write = match round % 5 {
            0 => {
                signals += 1;
                http.post("/v1/signals", &key, &signal("ES")).await
            }
            1 => {
                trades += 1;
                http.post("/v1/trades", &key, &trade("ES", 1.0)).await
            }
            2 => {
                let (signal, trade) = (signal("ES"), trade("ES", 1.0));
                (signals, trades) = (signals + 2, trades + 1);
                let [signal, trade] =
                    [(signal, "signal"), (trade, "trade")].map(|(e, kind)| with(e, json!({"type": kind})));
                http.post("/v1/events", &key, &json!([signal, trade, signal, {"type": "bad"}])).await
            }
            3 => {
                signals += 1;
                http.post("/v1/confidence", &key, &signal("ES")).await
            }
            _ => {
                let id = Uuid::now_v7();
                http.post("/v1/trades", &key, &with(trade("ES", 1.0), json!({"event_id": id}))).await;
                voided += 1;
                http.post(&format!("/v1/trades/{id}/void"), &key, &json!({})).await
            }
        };
        let view = view_from(&http, &key, &write).await;
        let told = ["trades", "signals", "trades_voided"].map(|field| view[field].as_u64().unwrap());
        assert_eq!(told, [trades, signals, voided], "round {round}: {view}");
        // The other reads wait as well.
        let position = write.header("hindcast-position").unwrap();
        let stats = read(&http, "/api/ml/stats?symbol=ES", &key, ("hindcast-min-position", position)).await.json();
        assert_eq!((&stats["total_trades"], &stats["total_signals"]), (&json!(trades), &json!(signals)), "{stats}");
        let days = read(&http, "/v1/activity", &key, ("hindcast-min-position", position)).await.json();
        let counted: u64 = days["days"].as_array().unwrap().iter().map(|day| day["signals"].as_u64().unwrap()).sum();
        assert_eq!(counted, signals, "{days}");
        let headers = [("content-type", "application/json"), ("hindcast-min-position", position)];
        let body = signal("ES").to_string();
        let dry = http.try_send(Method::POST, "/v1/confidence?dry_run=true", Some(&key), &headers, body).await.unwrap();
        assert_eq!(dry.json()["experiences"], trades, "{dry:?}");
        assert_eq!(dry.json()["position"], Value::Null, "a dry run records nothing: {dry:?}");
    }
    noise.abort();
    // What a write answers in its body is what it answers in the header.
    let write = http.post("/v1/trades", &key, &trade("ES", 1.0)).await;
    let position = write.json()["position"].clone();
    let text = format!("{}-{}-{}", position["epoch"], position["partition"], position["offset"]);
    assert_eq!(write.header("hindcast-position"), Some(text.as_str()));
    // A bot is told totals that count its trade.
    let body = with(trade("ES", 1.0), json!({"user_id": "reader-1", "entry_vwap": 0}));
    let saved = http.post("/api/ml/save_trade", &key, &body).await.json();
    assert_eq!((&saved["behind"], &saved["user_total_trades"]), (&json!(0), &json!(trades + 2)), "{saved}");
    server.stop();
}

#[tokio::test]
async fn positions_that_are_not_the_callers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let user = "reader-2";
    let key = http.trader(user).await;
    let written = http.post("/v1/trades", &key, &trade("ES", 1.0)).await.json()["position"].clone();
    let own = partition_of(user.as_bytes(), 8);
    assert_eq!(written["partition"], own, "{written}");
    let offset = written["offset"].as_u64().unwrap();
    let cases = [
        (format!("0-{own}-{offset}"), 200),
        (format!("0-{}-0", (own + 1) % 8), 400),
        (format!("0-{}-0", own + 8), 400),
        (format!("1-{own}-0"), 400),
        (format!("0-{own}-{}", offset + 1), 410),
        (format!("0-{own}-{}", u64::MAX >> 26), 410),
        ("first".to_owned(), 400),
        (String::new(), 400),
    ];
    for (position, status) in cases {
        for path in ["/v1/views/ES", "/v1/activity", "/api/ml/stats"] {
            let began = Instant::now();
            let answer = read(&http, path, &key, ("hindcast-min-position", &position)).await;
            assert_eq!(answer.status.as_u16(), status, "{path} from {position:?}: {answer:?}");
            if status != 200 {
                answer.problem();
                assert!(began.elapsed() < Duration::from_millis(400), "there is nothing to wait for");
            }
        }
        let headers = [("content-type", "application/json"), ("hindcast-min-position", position.as_str())];
        let body = signal("ES").to_string();
        let answer = http.try_send(Method::POST, "/v1/confidence?dry_run=1", Some(&key), &headers, body).await.unwrap();
        assert!(answer.status.as_u16() == status || answer.status == StatusCode::BAD_REQUEST, "{answer:?}");
    }
    server.stop();
}

#[tokio::test]
async fn control_offsets_sent_back_are_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let key = http.trader("reader-3").await;
    let answer = http.get("/v1/views/ES", &key).await;
    let offset: u64 = answer.header("hindcast-control").expect("what the answer is made from").parse().unwrap();
    assert_eq!(http.status().await["control_offset"], offset);
    let again = read(&http, "/v1/views/ES", &key, ("hindcast-control", &offset.to_string())).await;
    assert_eq!(again.status, StatusCode::OK);
    let (began, future) = (Instant::now(), (offset + 1).to_string());
    let too_early = read(&http, "/v1/views/ES", &key, ("hindcast-control", &future)).await;
    assert_eq!(too_early.status, StatusCode::SERVICE_UNAVAILABLE, "{too_early:?}");
    assert!(too_early.header("retry-after").is_some(), "{too_early:?}");
    assert!(began.elapsed() > Duration::from_secs(1), "it was waited for");
    too_early.problem();
    // A change that comes while somebody waits for it.
    let wait = offset + 1;
    let waiting = tokio::spawn({
        let (http, key) = (http.clone(), key.clone());
        async move { read(&http, "/v1/views/ES", &key, ("hindcast-control", &wait.to_string())).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    http.trader("reader-4").await;
    let answer = waiting.await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(answer.header("hindcast-control").unwrap().parse::<u64>().unwrap() >= wait);
    server.stop();
}

#[test]
fn stopping_finishes_what_is_under_way_and_a_restart_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = runtime();
    let server = Server::start(&data);
    let http = Http::new(&server.url);
    let key = runtime.block_on(http.trader("survivor"));
    let mut acknowledged = 0_u64;
    runtime.block_on(async {
        // A request whose body is still on its way when the signal comes.
        let body = trade("ES", 1.0).to_string();
        let address = server.url.strip_prefix("http://").unwrap();
        let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /v1/trades HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        slow.write_all(format!("{head}{}", &body[..20]).as_bytes()).await.unwrap();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let (http, key) = (http.clone(), key.clone());
                tokio::spawn(async move {
                    let mut acknowledged = 0;
                    loop {
                        let headers = [("content-type", "application/json")];
                        let body = trade("ES", 1.0).to_string();
                        match http.try_send(Method::POST, "/v1/trades", Some(&key), &headers, body).await {
                            Ok(answer) if answer.status == StatusCode::CREATED => acknowledged += 1,
                            Ok(answer) => assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}"),
                            Err(_) => return acknowledged,
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.terminate();
        tokio::time::sleep(Duration::from_millis(200)).await;
        slow.write_all(&body.as_bytes()[20..]).await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "the request under way was finished: {answer}");
        acknowledged += 1;
        for client in clients {
            acknowledged += client.await.unwrap();
        }
    });
    let stopping = Instant::now();
    server.ended();
    assert!(stopping.elapsed() < Duration::from_secs(10), "{:?}", stopping.elapsed());
    assert!(acknowledged > 10, "{acknowledged}");

    let server = Server::start(&data);
    let http = Http::new(&server.url);
    runtime.block_on(async {
        http.caught_up().await;
        let trades = http.get("/v1/views/ES", &key).await.json()["trades"].as_u64().unwrap();
        // A client whose connection broke may have been stored without being told.
        assert!((acknowledged..=acknowledged + 8).contains(&trades), "{acknowledged} acknowledged, {trades} counted");
        let write = http.post("/v1/trades", &key, &trade("ES", 1.0)).await;
        assert_eq!(view_from(&http, &key, &write).await["trades"], trades + 1);
    });
    server.stop();
}

#[tokio::test]
async fn the_process_tells_how_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let open = async |path: &str| http.try_send(Method::GET, path, None, &[], "").await.unwrap();
    for path in ["/health", "/readyz"] {
        let answer = open(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let health = answer.json();
        assert_eq!(health["status"], "healthy", "{health}");
        assert_eq!((&health["log"], &health["views"]), (&json!("healthy"), &json!("healthy")), "{health}");
    }
    assert!(open("/livez").await.status.is_success());
    let page = open("/docs/").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
    for answer in [open("/health").await, open("/nothing").await, open("/v1/views/ES").await, open("/docs/").await] {
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{answer:?}");
    }
    let named = http.try_send(Method::GET, "/nothing", None, &[("x-request-id", "my-request-7")], "").await.unwrap();
    assert_eq!(named.header("x-request-id"), Some("my-request-7"));
    assert_eq!(named.problem()["instance"], "my-request-7");

    let key = http.trader("measured").await;
    http.post("/v1/trades", &key, &trade("ES", 1.0)).await;
    http.post("/v1/signals", &key, &json!({})).await;
    http.post("/v1/confidence", &key, &signal("ES")).await;
    http.get("/v1/views/ES", &key).await;
    http.get("/v1/views/ES", &key).await;
    http.caught_up().await;
    let answer = open("/metrics").await;
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"), "{answer:?}");
    let metrics = String::from_utf8(answer.body.to_vec()).unwrap();
    let value = |line: &str| -> f64 {
        let found = metrics.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or_else(|| panic!("no {line} in\n{metrics}"))
    };
    assert_eq!(value(r#"hindcast_http_requests_total{method="POST",route="/v1/trades",status="201"}"#), 1.0);
    assert_eq!(value(r#"hindcast_http_requests_total{method="POST",route="/v1/signals",status="422"}"#), 1.0);
    assert_eq!(value(r#"hindcast_http_requests_total{method="GET",route="/v1/views/{symbol}",status="200"}"#), 2.0);
    assert_eq!(value(r#"hindcast_http_request_seconds_count{route="/v1/trades"}"#), 1.0);
    assert_eq!(value(r#"hindcast_http_refused_total{reason="validation"}"#), 1.0);
    assert_eq!(value("hindcast_append_seconds_count"), 1.0);
    assert_eq!(value("hindcast_decision_append_seconds_count"), 1.0);
    assert!(value(r#"hindcast_row_cache_lookups_total{projection="book",result="hit"}"#) >= 1.0);
    assert!(value(r#"hindcast_row_cache_lookups_total{projection="book",result="miss"}"#) >= 1.0);
    let generation = hindcast_fold::generation::GenerationSet::default().fingerprint();
    for partition in 0..8 {
        let labels = format!("{{generation=\"{generation}\",partition=\"{partition}\"}}");
        assert_eq!(value(&format!("hindcast_projection_lag_events{labels}")), 0.0);
        assert!(value(&format!("hindcast_projection_lag_seconds{labels}")) < 5.0);
    }
    assert!(metrics.contains("# TYPE hindcast_rejected_records_total counter"), "{metrics}");
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(!metrics.contains("measured") && !metrics.contains(&key), "no user and no secret is a label");
    server.stop();
}
