//! Memory stays bounded while many users' trades are taken in, folded and served.
//!
//! At full size by default, which takes a minute; `HINDCAST_MEMORY_USERS=1500` runs a small one while something is mended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::time::Instant;

use futures::{StreamExt, stream};
use http::StatusCode;
use serde_json::{Value, json};
use support::{Http, Server, trade, with};

const TRADES: usize = 50;
const FULL_USERS: usize = 100_000;
/// The bound at [`FULL_USERS`]: 600 MB.
const FULL_MIB: u64 = 600_000_000 >> 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_users_fit_into_bounded_memory() {
    let set = std::env::var("HINDCAST_MEMORY_USERS").ok().map(|text| text.parse::<usize>().expect("a whole number"));
    let users = set.unwrap_or(FULL_USERS);
    // Fewer users have to do with less: what is there before anybody comes, and a share.
    let bound_mib = if users >= 20_000 { FULL_MIB } else { 250 + users as u64 / 50 };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    http.operator().await;
    let at_start = peak_mib(&server);

    let began = Instant::now();
    let keys: Vec<String> = stream::iter(0..users)
        .map(|user| {
            let http = http.clone();
            async move { http.trader(&format!("crowd-{user}")).await }
        })
        .buffered(64)
        .collect()
        .await;
    println!("{users} keys in {:?}; peak {} MiB, {at_start} at the start", began.elapsed(), peak_mib(&server));

    let began = Instant::now();
    let stored = stream::iter(keys.iter().enumerate())
        .map(|(user, key)| {
            let http = http.clone();
            async move {
                let answer = http.post("/v1/events", key, &history(user)).await;
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                let results = answer.json()["results"].clone();
                results.as_array().unwrap().iter().filter(|result| result["status"] == 201).count()
            }
        })
        .buffer_unordered(16)
        .fold(0, async |sum, stored| sum + stored)
        .await;
    assert_eq!(stored, users * TRADES);
    println!("{stored} events taken in in {:?}; peak {} MiB", began.elapsed(), peak_mib(&server));
    let behind = Instant::now();
    http.caught_up().await;
    println!("folded {:?} later; peak {} MiB", behind.elapsed(), peak_mib(&server));

    let began = Instant::now();
    stream::iter(keys.iter().enumerate())
        .map(|(user, key)| {
            let http = http.clone();
            async move {
                let body = json!({"symbol": "ES", "side": "LONG", "price": 6_500, "rsi": 30, "vwap": 6_510});
                let answer = http.post("/v1/confidence", key, &body).await;
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                assert_eq!(answer.json()["experiences"], TRADES, "user {user}: {answer:?}");
            }
        })
        .buffer_unordered(16)
        .collect::<Vec<()>>()
        .await;
    let peak = peak_mib(&server);
    println!("every user served in {:?}; peak {peak} MiB, bound {bound_mib} MiB", began.elapsed());
    assert!(peak < bound_mib, "{peak} MiB for {users} users");
    server.stop();
}

fn history(user: usize) -> Value {
    let item = |index: usize| {
        let pnl = f64::from(u8::try_from((user + index * 7) % 40).unwrap()) - 19.5;
        with(trade("ES", pnl), json!({"type": "trade", "entry_rsi": 30, "entry_vwap": 6_510}))
    };
    (0..TRADES).map(item).collect()
}

/// The most memory that the server ever had, MiB.
fn peak_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1_024
}
