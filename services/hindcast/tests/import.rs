//! `hindcast import` against a server that keeps what it is sent and misbehaves in known ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use support::run::{Run, hindcast};
use tokio::net::TcpListener;

/// What a server was sent, and what it does about it.
#[derive(Default)]
struct Server {
    events: Vec<Value>,
    places: BTreeSet<(String, u64)>,
    batches: Vec<usize>,
    /// Refuses the items of a batch from the n-th of all on, in this many batches, with this status.
    refuse: Option<(usize, u16, usize)>,
}

type Shared = Arc<Mutex<Server>>;

fn answer(server: &Shared, headers: &HeaderMap, body: &Bytes) -> Response {
    let mut server = server.lock().unwrap();
    assert_eq!(headers.get("content-type").unwrap(), "application/x-ndjson");
    let items: Vec<Value> = body
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    server.batches.push(items.len());
    let mut results = Vec::new();
    let mut refusing = None;
    for item in items {
        if let Some((after, status, times)) = server.refuse
            && refusing.is_none()
            && server.events.len() >= after
            && times > 0
        {
            refusing = Some(status);
            server.refuse = Some((after, status, times - 1));
        }
        if let Some(status) = refusing {
            results.push(
                json!({"status": status, "error": {"title": "Refused", "detail": "for a test", "status": status}}),
            );
            continue;
        }
        let place =
            (item["import"]["source"].as_str().unwrap().to_owned(), item["import"]["sequence"].as_u64().unwrap());
        let fresh = server.places.insert(place);
        if fresh {
            server.events.push(item.clone());
        }
        results.push(json!({"status": 201, "event_id": item["event_id"], "duplicate": !fresh}));
    }
    (StatusCode::OK, Json(json!({"results": results}))).into_response()
}

async fn serve(server: Server) -> (Shared, SocketAddr) {
    let shared: Shared = Arc::new(Mutex::new(server));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let state = Arc::clone(&shared);
    let router = Router::new().route(
        "/v1/events",
        post(move |headers: HeaderMap, body: Bytes| async move { answer(&state, &headers, &body) }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    (shared, addr)
}

async fn import(file: &Path, addr: SocketAddr) -> Run {
    let url = format!("http://{addr}");
    let arguments = ["import", file.to_str().unwrap(), "--user", "desk-1", "--json", "--url", &url];
    hindcast(&arguments, &[("HINDCAST_API_KEY", "hc_test")]).await
}

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn experiences() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/es_experiences.jsonl");
    assert!(path.exists(), "the real signals are absent: {} (see ../shared/data/README.md)", path.display());
    path
}

fn trade(n: u32) -> Value {
    json!({"type": "trade", "symbol": "ES", "side": "LONG", "entry_price": 6500 + n, "exit_price": 6501 + n, "pnl": 50})
}

fn trades(count: u32) -> String {
    (0..count).map(|n| format!("{}\n", trade(n))).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
async fn real_signals_become_signals_and_trades_once() {
    let (server, addr) = serve(Server::default()).await;
    let first = import(&experiences(), addr).await;
    assert_eq!(first.code, 0, "{first:?}");
    let summary = first.json();
    for (field, expected) in
        [("rows", 1_541), ("signals", 1_541), ("trades", 1_541), ("sent", 3_082), ("new", 3_082), ("duplicates", 0)]
    {
        assert_eq!(summary[field], expected, "{field} of {summary}");
    }
    {
        let server = server.lock().unwrap();
        assert_eq!(server.batches, [500, 500, 500, 500, 500, 500, 82]);
        let [signal, trade] = &server.events[..2] else { panic!("two events at least") };
        assert_eq!(signal["side"], "LONG");
        assert_eq!(signal["features"]["hour"], 0);
        assert_eq!(signal["occurred_at"], "2025-11-13T07:47:39.327604+00:00");
        assert_eq!(trade["signal_id"], signal["event_id"]);
        assert_eq!(trade["exit_price"], "6526.92");
        assert_eq!(trade["pnl"], 133.5);
        let simulated = server.events.iter().filter(|event| event["simulated"] == true).count();
        assert_eq!(simulated, 677);
    }
    let again = import(&experiences(), addr).await.json();
    assert_eq!((&again["new"], &again["duplicates"]), (&json!(0), &json!(3_082)));
    assert_eq!(again["source"], summary["source"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_a_while_is_sent_again_with_all_after_it() {
    let (server, addr) = serve(Server { refuse: Some((700, 503, 2)), ..Server::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let run = import(&written(&folder, "trades.jsonl", &trades(1_200)), addr).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["new"], 1_200);
    let server = server.lock().unwrap();
    let sequences: Vec<u64> = server.events.iter().map(|event| event["import"]["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (0..1_200).map(|n| 2 * n + 1).collect::<Vec<u64>>());
    assert_eq!(server.batches, [500, 500, 300, 300, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_ends_the_import_with_its_line() {
    let (server, addr) = serve(Server { refuse: Some((3, 403, 1)), ..Server::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let run = import(&written(&folder, "trades.jsonl", &trades(600)), addr).await;
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("line 4 was refused: Refused (403): for a test"), "{run:?}");
    let summary = run.json();
    assert_eq!((&summary["new"], &summary["failed"]), (&json!(3), &json!(497)));
    assert_eq!(server.lock().unwrap().batches.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_file_with_faults_is_sent() {
    let (server, addr) = serve(Server::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut text = trades(2);
    text.push_str("{\"type\": \"trade\", \"symbol\": \"GC\"}\n\nnonsense\n");
    let run = import(&written(&folder, "trades.jsonl", &text), addr).await;
    assert_eq!(run.code, 1);
    for expected in ["nothing was sent", "line 3: ", "symbol", "entry_price", "line 5: it is not a JSON object"] {
        assert!(run.stderr.contains(expected), "{expected}: {run:?}");
    }
    assert!(server.lock().unwrap().batches.is_empty());

    let empty = import(&written(&folder, "empty.jsonl", "\n"), addr).await;
    assert!(empty.code == 1 && empty.stderr.contains("has no rows") || empty.stderr.contains("column"), "{empty:?}");
    let absent = import(&folder.path().join("absent.csv"), addr).await;
    assert!(absent.code == 1 && absent.stderr.starts_with("error: cannot read"), "{absent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_compressed_or_not_is_the_same_import() {
    use std::io::Write;

    let (server, addr) = serve(Server::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let text = "type,symbol,side,price,rsi,entry_price,exit_price,pnl,simulated,features.hour\n\
                signal,ES,LONG,6524.25,28,,,,,7\n\
                trade,ES,LONG,,,6524.25,6525,37.5,true,\n";
    let plain = written(&folder, "history.csv", text);
    let packed = folder.path().join("history.csv.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    let (first, second) = (import(&plain, addr).await, import(&packed, addr).await);
    assert_eq!((first.code, &first.json()["new"]), (0, &json!(2)), "{first:?}");
    assert_eq!((second.code, &second.json()["duplicates"]), (0, &json!(2)), "{second:?}");
    let server = server.lock().unwrap();
    assert_eq!(server.events[0]["features"], json!({"hour": 7.0}));
    assert_eq!((&server.events[1]["pnl"], &server.events[1]["simulated"]), (&json!("37.5"), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_told_with_exit_code_2() {
    let no_key = hindcast(&["import", "x.csv", "--user", "desk-1"], &[("HINDCAST_API_KEY", "")]).await;
    assert!(no_key.code == 2 && no_key.stderr.contains("HINDCAST_API_KEY is not set"), "{no_key:?}");
    let bad_user = hindcast(&["import", "x.csv", "--user", "x"], &[]).await;
    assert!(bad_user.code == 2 && bad_user.stderr.contains("5 to 100 characters"), "{bad_user:?}");
}
