//! The disk fills up: writes are refused, nothing acknowledged is lost, and the service goes on by itself when there is
//! space again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

use hindcast_test_services::on_small_disk;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Http, Server, runtime, trade, with};
use uuid::Uuid;

const SIZE_MIB: u32 = 64;
/// What is taken away to make space again.
const BALLAST_MIB: usize = 24;

#[test]
fn a_full_disk_refuses_writes_and_loses_nothing() {
    let filled = on_small_disk("a_full_disk_refuses_writes_and_loses_nothing", SIZE_MIB, fill_up_and_free);
    filled.unwrap_or_else(|error| panic!("{error}"));
}

fn fill_up_and_free(disk: &Path) {
    let (data, ballast) = (disk.join("data"), disk.join("ballast"));
    std::fs::write(&ballast, vec![7_u8; BALLAST_MIB << 20]).unwrap();
    let runtime = runtime();
    let mut server = Server::start(&data);
    let http = Http::new(&server.url);
    let (key, mut acknowledged) = runtime.block_on(async {
        let key = http.trader("hoarder").await;
        let mut acknowledged = HashSet::new();
        fill(&http, &key, &mut acknowledged).await;
        // Full: alive all the same, and it says what is wrong.
        let answer = http.try_send(Method::GET, "/livez", None, &[], "").await.unwrap();
        assert!(answer.status.is_success(), "{answer:?}");
        degraded(&http, &key, &mut acknowledged).await;
        (key, acknowledged)
    });
    assert!(acknowledged.len() > 1_000, "it takes something to fill it: {}", acknowledged.len());
    let when_full = acknowledged.len();

    std::fs::remove_file(&ballast).unwrap();
    runtime.block_on(async {
        resume(&http, &key, &mut acknowledged).await;
        http.caught_up().await;
        assert_eq!(http.get("/health", &key).await.status, StatusCode::OK);
        counted(&http, &key, &acknowledged).await;
    });
    // What a restart finds on the disk is all that was acknowledged.
    server.kill();
    let server = Server::start(&data);
    let http = Http::new(&server.url);
    runtime.block_on(async {
        http.caught_up().await;
        counted(&http, &key, &acknowledged).await;
    });
    server.stop();
    println!("{when_full} acknowledged until the disk was full, {} in all, none lost", acknowledged.len());
}

fn batch(size: usize) -> (Vec<Uuid>, Value) {
    let ids: Vec<Uuid> = (0..size).map(|_| Uuid::now_v7()).collect();
    let item = |id| with(trade("ES", 1.0), json!({"type": "trade", "event_id": id, "strategy": "x".repeat(60)}));
    let items = ids.iter().map(item).collect();
    (ids, items)
}

/// Sends a batch once; remembers what was acknowledged. Tells whether anything was refused.
async fn send(http: &Http, key: &str, size: usize, acknowledged: &mut HashSet<Uuid>) -> bool {
    let (ids, body) = batch(size);
    let answer = http.post("/v1/events", key, &body).await;
    if answer.status == StatusCode::SERVICE_UNAVAILABLE {
        judge_refusal(&answer.problem());
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        return true;
    }
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let results = answer.json()["results"].clone();
    let mut refused = false;
    for (id, result) in ids.into_iter().zip(results.as_array().unwrap()) {
        match result["status"].as_u64() {
            Some(201) => {
                acknowledged.insert(id);
            }
            Some(503) => {
                judge_refusal(&result["error"]);
                refused = true;
            }
            _ => panic!("{result}"),
        }
    }
    refused
}

fn judge_refusal(problem: &Value) {
    assert!(matches!(problem["outcome"].as_str(), Some("none" | "unknown")), "{problem}");
    let text = problem.to_string();
    assert!(!text.contains("No space") && !text.contains("os error"), "it tells of the inside: {text}");
}

async fn fill(http: &Http, key: &str, acknowledged: &mut HashSet<Uuid>) {
    let (began, mut refused_in_a_row) = (Instant::now(), 0);
    while refused_in_a_row < 5 {
        assert!(began.elapsed() < Duration::from_secs(120), "never full: {} events", acknowledged.len());
        refused_in_a_row = if send(http, key, 500, acknowledged).await { refused_in_a_row + 1 } else { 0 };
        if refused_in_a_row > 0 {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The log tries again every second, and is well until the next write; so health is asked right after one.
async fn degraded(http: &Http, key: &str, acknowledged: &mut HashSet<Uuid>) {
    let began = Instant::now();
    loop {
        send(http, key, 500, acknowledged).await;
        let answer = http.try_send(Method::GET, "/health", None, &[], "").await.unwrap();
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            let health = answer.json();
            assert_eq!(health["status"], "degraded", "{health}");
            assert_ne!(health["log"], "healthy", "{health}");
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never degraded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn resume(http: &Http, key: &str, acknowledged: &mut HashSet<Uuid>) {
    let began = Instant::now();
    let mut taken_in_a_row = 0;
    while taken_in_a_row < 5 {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not go on although there is space");
        taken_in_a_row = if send(http, key, 20, acknowledged).await { 0 } else { taken_in_a_row + 1 };
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("went on {:?} after there was space again", began.elapsed());
}

/// All that was acknowledged is in the journal, and the view counts each event of the journal once.
async fn counted(http: &Http, key: &str, acknowledged: &HashSet<Uuid>) {
    let view = http.get("/v1/views/ES", key).await.json();
    let partition = &view["position"]["partition"];
    let (operator, mut stored, mut next) = (http.operator().await, HashSet::new(), 0_u64);
    loop {
        let path = format!("/v1/journal?partition={partition}&from={next}&limit=10000");
        let answer = http.get(&path, &operator).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let events = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
        stored.extend(events.map(|event| event["event_id"].as_str().unwrap().parse::<Uuid>().unwrap()));
        let reached: u64 = answer.header("hindcast-next").unwrap().parse().unwrap();
        if reached == next {
            break;
        }
        next = reached;
    }
    let lost = acknowledged.difference(&stored).count();
    assert_eq!(lost, 0, "{lost} of {} acknowledged events are not in the journal", acknowledged.len());
    assert_eq!(view["trades"], stored.len(), "what has an unknown outcome counts if it is stored: {}", view["trades"]);
}
