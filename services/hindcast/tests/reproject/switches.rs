//! Answers of the moments in which the active set changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Method;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    clients::{Clients, USERS, answers, history, judge_folder, keys},
    support::{
        Answer, Http, Server,
        reproject::{PATH, RING_TRADES, changed, done, plan, until_no_lag},
        runtime, seed,
        writers::{OnFailure, Told},
    },
};

/// Readers meet every switch there and back; none fails, and each answer is whole: of one set, at the control offset that
/// it names.
#[test]
fn reads_go_on_through_many_switches() {
    let switches: usize = std::env::var("HINDCAST_SWITCHES").map_or(1_000, |text| text.parse().unwrap());
    let seed = seed();
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let (told, answers) = runtime().block_on(async {
        let server = Server::start(folder.path());
        let http = Http::new(&server.url);
        let keys = keys(&http, "moved").await;
        let mut rng = StdRng::seed_from_u64(seed);
        history(&http, &keys, 16, &mut rng).await;
        http.caught_up().await;
        let name = changed().fingerprint();
        let url = &*server.url;
        assert_eq!(plan(url, &[]).await.code, 0);
        done(url, &["build", &name]).await;
        done(url, &["verify", &name]).await;
        let first = done(url, &["cutover", &name]).await;
        let first = first["steps"].as_array().unwrap().last().unwrap()["control_offset"].as_u64().unwrap();

        // Others write all the time, and each of their reads has to be answered too; the books of those who are looked at
        // stay as they are.
        let nothing = (0..USERS).map(|_| Told::default()).collect();
        let repeats = OnFailure::Repeat(1, Duration::from_millis(100));
        let clients =
            Clients::start(&http, "writing", crate::clients::keys(&http, "writing").await, nothing, repeats, &mut rng);

        // Each switch is one control record: the set of an odd distance from the first one is the old one.
        let stop = Arc::new(AtomicBool::new(false));
        let signal = json!({"symbol": "ES", "side": "LONG", "price": 6_000, "rsi": 30, "vwap": 6_010});
        let readers: Vec<_> = (0..4)
            .map(|reader| {
                let (http, key, stop, signal) = (http.clone(), keys[reader].clone(), Arc::clone(&stop), signal.clone());
                tokio::spawn(async move {
                    let mut seen: Vec<(u64, Seen)> = Vec::new();
                    let control = |answer: &Answer| answer.header("hindcast-control").unwrap().parse::<u64>().unwrap();
                    while !stop.load(Ordering::Acquire) {
                        let answer = http.post("/v1/confidence?dry_run=true", &key, &signal).await;
                        assert_eq!(answer.status, 200, "{answer:?}");
                        seen.push((
                            control(&answer),
                            Seen::Experiences(answer.json()["experiences"].as_u64().unwrap()),
                        ));
                        let view = http.get("/v1/views/ES", &key).await;
                        assert_eq!(view.status, 200, "{view:?}");
                        let regimes = view.json()["regimes"].as_array().is_some_and(|regimes| !regimes.is_empty());
                        seen.push((control(&view), Seen::Regimes(regimes)));
                        let stats = http.get(&format!("/api/ml/stats?user_id=moved-{reader}&symbol=ES"), &key).await;
                        assert_eq!(stats.status, 200, "{stats:?}");
                    }
                    seen
                })
            })
            .collect();
        let operator = http.operator().await;
        let mut late = 0;
        for _ in 0..switches {
            let since = Instant::now();
            let answer = http.post(&format!("{PATH}/rollback"), &operator, &json!({})).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            // Whoever sends the offset back is never answered from before it.
            let control = answer.header("hindcast-control").unwrap().to_owned();
            let headers = [("content-type", "application/json"), ("hindcast-control", &*control)];
            let body = Bytes::from(signal.to_string());
            let read = http.try_send(Method::POST, "/v1/confidence?dry_run=true", Some(&keys[0]), &headers, body).await;
            let read = read.unwrap();
            assert_eq!(read.status, 200, "{read:?}");
            assert!(read.header("hindcast-control").unwrap().parse::<u64>().unwrap() >= control.parse().unwrap());
            late += u32::from(since.elapsed() > Duration::from_secs(2));
        }
        assert_eq!(late, 0, "switches that took more than 2 s");
        stop.store(true, Ordering::Release);
        let mut reads = [0, 0];
        for reader in readers {
            for (control, seen) in reader.await.unwrap() {
                let is_new = (control - first).is_multiple_of(2);
                let expected = match seen {
                    Seen::Experiences(_) => Seen::Experiences(if is_new { RING_TRADES.into() } else { 256 }),
                    Seen::Regimes(_) => Seen::Regimes(is_new),
                };
                assert_eq!(seen, expected, "at control offset {control}, the first switch was at {first}");
                reads[usize::from(is_new)] += 1;
            }
        }
        println!("{switches} switches, {} reads of the old set, {} of the new one", reads[0], reads[1]);
        assert!(reads.iter().all(|reads| *reads > 10), "{reads:?}");
        let keys = clients.keys.clone();
        let told = clients.stop().await;
        http.caught_up().await;
        until_no_lag(&http).await;
        let answers = answers(&http, "writing", &keys).await;
        server.stop();
        (told, answers)
    });
    assert_eq!(told.iter().map(|told| told.given_up + told.repeated).sum::<u64>(), 0, "requests failed");
    judge_folder(folder.path(), &told, &answers);
}

/// What tells which set an answer is from.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Trades that the model looked at: as many as the set's books keep.
    Experiences(u64),
    /// Whether a view tells of regimes: books of the old fold have none.
    Regimes(bool),
}
