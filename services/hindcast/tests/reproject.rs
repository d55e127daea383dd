//! Another set of generations from plan to drop while clients go on: no request fails, nothing is missing in either set,
//! whatever is killed meanwhile, and every decision derives again from the set that it names.
//!
//! `HINDCAST_SEED` repeats a run's choices, `HINDCAST_REPROJECT_ROUNDS` and `HINDCAST_SWITCHES` change how many there are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::embedded::{EmbeddedLog, EmbeddedLogConfig};
use hindcast_schemas::{Codec, LocalRegistry};
use hindcast_views::embedded::{EmbeddedViews, EmbeddedViewsConfig};
use http::Method;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{
    ADMIN_KEY, Http, Server,
    judge::{assert_refolded, judge},
    run::{Run, hindcast},
    runtime, seed,
    writers::{OnFailure, Places, SYMBOLS, Told, Writer},
};
use uuid::Uuid;

const PATH: &str = "/admin/v1/reprojections";
const USERS: usize = 4;

fn shorter() -> GenerationSet {
    let mut set = GenerationSet::default();
    set.book.params.ring_trades = 32;
    set
}

/// Clients that write without end.
struct Clients {
    keys: Vec<String>,
    stop: Arc<AtomicBool>,
    running: Vec<tokio::task::JoinHandle<Told>>,
}

impl Clients {
    fn start(http: &Http, keys: Vec<String>, told: Vec<Told>, on_failure: OnFailure, rng: &mut StdRng) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let running = told
            .into_iter()
            .enumerate()
            .map(|(client, told)| {
                let writer = Writer {
                    places: Places { ingress: vec![http.clone()], confidence: vec![http.clone()] },
                    user: format!("moved-{}", client % USERS),
                    key: keys[client % USERS].clone(),
                    told,
                    seed: rng.next_u64(),
                    on_failure,
                    pause: Duration::from_millis(1),
                    stop: Arc::clone(&stop),
                };
                tokio::spawn(writer.run())
            })
            .collect();
        Self { keys, stop, running }
    }

    async fn stop(self) -> Vec<Told> {
        self.stop.store(true, Ordering::Release);
        let mut told = Vec::new();
        for client in self.running {
            told.push(client.await.unwrap());
        }
        told
    }
}

async fn keys(http: &Http) -> Vec<String> {
    let mut keys = Vec::new();
    for user in 0..USERS {
        keys.push(http.trader(&format!("moved-{user}")).await);
    }
    keys
}

/// Brings in history, so that a build takes a while.
async fn history(http: &Http, keys: &[String], batches: usize, rng: &mut StdRng) {
    for batch in 0..batches {
        let items: Vec<Value> = (0..500)
            .map(|_| {
                json!({
                    "type": "trade", "event_id": Uuid::from_u128(rng.random()), "symbol": SYMBOLS[rng.random_range(0..2)],
                    "side": "LONG", "entry_price": 6_000, "exit_price": 6_012.5,
                    "pnl": f64::from(rng.random_range(-400..400)) / 4.0,
                })
            })
            .collect();
        let answer = http.post("/v1/events", &keys[batch % USERS], &Value::Array(items)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

async fn step(url: &str, arguments: &[&str]) -> Run {
    let arguments = [&["--json", "reproject"], arguments].concat();
    hindcast(&arguments, &[("HINDCAST_URL", url), ("HINDCAST_API_KEY", ADMIN_KEY)]).await
}

async fn done(url: &str, arguments: &[&str]) -> Value {
    let run = step(url, arguments).await;
    assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
    run.json()
}

async fn answers(http: &Http, keys: &[String]) -> Vec<((String, String), Value)> {
    // Without a position to wait for, rows of up to a second ago may serve.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let mut answers = Vec::new();
    for (user, key) in keys.iter().enumerate() {
        for symbol in SYMBOLS {
            let answer = http.get(&format!("/v1/views/{symbol}"), key).await;
            answers.push(((format!("moved-{user}"), symbol.to_owned()), answer.json()));
        }
    }
    answers
}

/// Both sets hold what the journal folds into, and everything else is as it has to be.
fn judge_folder(data: &Path, told: &[Told], answers: &[((String, String), Value)]) {
    let log = EmbeddedLog::open(&data.join("journal"), &EmbeddedLogConfig::default()).unwrap();
    let views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();
    let codec = Codec::new(LocalRegistry).unwrap();
    println!("{:?}", judge(&log, &codec, &views, told, answers));
    println!("{} rows of the other set", assert_refolded(&log, &codec, &views, &shorter()));
}

#[test]
fn a_projection_changes_while_clients_go_on() {
    let seed = seed();
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (told, answers) = runtime().block_on(async {
        let mut rng = StdRng::seed_from_u64(seed);
        let server = Server::start(&data);
        let http = Http::new(&server.url);
        let keys = keys(&http).await;
        history(&http, &keys, 60, &mut rng).await;
        let nothing = (0..USERS * 2).map(|_| Told::default()).collect();
        // A client repeats once what is refused; none may have to.
        let clients = Clients::start(&http, keys, nothing, OnFailure::Repeat(1, Duration::from_millis(100)), &mut rng);

        let url = &*server.url;
        let setting = "book.params.ring_trades=32";
        let looked = done(url, &["plan", "--set", setting, "--dry-run"]).await;
        assert_eq!(
            (looked["planned"].as_bool(), looked["name"].as_str()),
            (Some(false), Some(&*shorter().fingerprint()))
        );
        let name = shorter().fingerprint();
        assert_eq!(step(url, &["build", &name]).await.code, 1, "nothing was planned");
        assert!(done(url, &["plan", "--set", setting, "--why", "shorter"]).await["events"].as_u64() > Some(30_000));
        assert!(step(url, &["cutover", &name]).await.stderr.contains("build and verify it"));
        done(url, &["build", &name]).await;
        assert!(step(url, &["cutover", &name]).await.stderr.contains("was not verified"));
        let verified = done(url, &["verify", &name]).await;
        assert_eq!(verified["within_tolerance"], true, "{verified}");
        assert!(verified["effect"]["decisions"].as_u64() > Some(0), "{verified}");
        let strict = step(url, &["verify", &name, "--flipped-share", "0", "--dry-run"]).await;
        let flips = strict.json()["effect"]["skip_to_take"].as_u64() > Some(0)
            || strict.json()["effect"]["take_to_skip"].as_u64() > Some(0);
        assert_eq!(strict.code, if flips { 3 } else { 0 }, "{strict:?}");
        assert_eq!(done(url, &["cutover", &name, "--dry-run"]).await["stage"], "ready");
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active");
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active", "twice is once");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(done(url, &["rollback"]).await["name"], GenerationSet::default().fingerprint().as_str());
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(step(url, &["drop", &name, "--yes"]).await.stderr.contains("active"));
        assert_eq!(step(url, &["drop", &name]).await.code, 2, "nobody is there to be asked");

        let keys = clients.keys.clone();
        let told = clients.stop().await;
        http.caught_up().await;
        let answers = answers(&http, &keys).await;
        server.stop();
        (told, answers)
    });
    assert_eq!(told.iter().map(|told| told.given_up + told.repeated).sum::<u64>(), 0, "requests failed");
    judge_folder(&data, &told, &answers);
}

/// The process is killed at any moment of the life of a set; the builder dies with it. Taking the steps again ends in the
/// very same rows.
#[test]
fn a_build_that_is_killed_goes_on() {
    let seed = seed();
    let rounds: usize = std::env::var("HINDCAST_REPROJECT_ROUNDS").map_or(10, |text| text.parse().unwrap());
    println!("seed {seed}, {rounds} rounds");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let name = shorter().fingerprint();
    let (told, answers) = runtime().block_on(async {
        let mut rng = StdRng::seed_from_u64(seed);
        // So many steps between flushes that most kills meet one.
        let slowly = [("HINDCAST_BUILDER__FLUSH_INTERVAL_MS", "20"), ("HINDCAST_BUILDER__READ_RECORDS", "512")];
        let mut told: Vec<Told> = (0..USERS).map(|_| Told::default()).collect();
        let mut keys_of_users = Vec::new();
        for round in 0..rounds {
            let mut server = Server::start_with(&data, &slowly);
            let http = Http::new(&server.url);
            if round == 0 {
                keys_of_users = keys(&http).await;
                history(&http, &keys_of_users, 40, &mut rng).await;
            }
            let clients = Clients::start(&http, keys_of_users.clone(), told, OnFailure::End, &mut rng);
            let url = server.url.clone();
            let steps = tokio::spawn(async move {
                let name = shorter().fingerprint();
                step(&url, &["plan", "--set", "book.params.ring_trades=32"]).await;
                step(&url, &["build", &name, "--max-rate", "20000"]).await;
                step(&url, &["verify", &name]).await;
                step(&url, &["cutover", &name]).await;
                loop {
                    step(&url, &["rollback"]).await;
                }
            });
            tokio::time::sleep(Duration::from_millis(rng.random_range(50..2_500))).await;
            server.kill();
            steps.abort();
            told = clients.stop().await;
        }
        let server = Server::start(&data);
        let http = Http::new(&server.url);
        done(&server.url, &["plan", "--set", "book.params.ring_trades=32"]).await;
        let built = done(&server.url, &["build", &name]).await;
        println!("after {} steps it is {}", built["steps"].as_array().unwrap().len(), built["stage"]);
        if built["stage"] != "active" {
            done(&server.url, &["verify", &name]).await;
        }
        done(&server.url, &["cutover", &name]).await;
        http.caught_up().await;
        until_no_lag(&http).await;
        let answers = answers(&http, &keys_of_users).await;
        server.stop();
        (told, answers)
    });
    judge_folder(&data, &told, &answers);
}

async fn until_no_lag(http: &Http) {
    let since = Instant::now();
    loop {
        let sets = http.get(PATH, ADMIN_KEY).await.json();
        let lags = sets["reprojections"].as_array().unwrap().iter().map(|set| set["lag_events"].as_u64().unwrap());
        if lags.sum::<u64>() == 0 {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{sets}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Readers meet every switch there and back; none fails, and each answer is whole: of one set, at the control offset that
/// it names.
#[test]
fn reads_go_on_through_many_switches() {
    let switches: usize = std::env::var("HINDCAST_SWITCHES").map_or(1_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let server = Server::start(folder.path());
        let http = Http::new(&server.url);
        let keys = keys(&http).await;
        let mut rng = StdRng::seed_from_u64(7);
        history(&http, &keys, 8, &mut rng).await;
        http.caught_up().await;
        let name = shorter().fingerprint();
        let url = &*server.url;
        done(url, &["plan", "--set", "book.params.ring_trades=32"]).await;
        done(url, &["build", &name]).await;
        done(url, &["verify", &name]).await;
        let first = done(url, &["cutover", &name]).await;
        let first = first["steps"].as_array().unwrap().last().unwrap()["control_offset"].as_u64().unwrap();

        // Each switch is one control record: the set of an odd distance from the first one is the old one.
        let stop = Arc::new(AtomicBool::new(false));
        let signal = json!({"symbol": "ES", "side": "LONG", "price": 6_000, "rsi": 30, "vwap": 6_010});
        let readers: Vec<_> = (0..4)
            .map(|reader| {
                let (http, key, stop, signal) = (http.clone(), keys[reader].clone(), Arc::clone(&stop), signal.clone());
                tokio::spawn(async move {
                    let mut seen: Vec<(u64, u64)> = Vec::new();
                    while !stop.load(Ordering::Acquire) {
                        let answer = http.post("/v1/confidence?dry_run=true", &key, &signal).await;
                        assert_eq!(answer.status, 200, "{answer:?}");
                        let control: u64 = answer.header("hindcast-control").unwrap().parse().unwrap();
                        seen.push((control, answer.json()["experiences"].as_u64().unwrap()));
                        let view = http.get("/v1/views/ES", &key).await;
                        assert_eq!(view.status, 200, "{view:?}");
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
            for (control, experiences) in reader.await.unwrap() {
                let is_new = (control - first).is_multiple_of(2);
                let expected = if is_new { 32 } else { 256 };
                assert_eq!(experiences, expected, "at control offset {control}, the first switch was at {first}");
                reads[usize::from(is_new)] += 1;
            }
        }
        println!("{switches} switches, {} reads of the old set, {} of the new one", reads[0], reads[1]);
        assert!(reads.iter().all(|reads| *reads > 10), "{reads:?}");
        server.stop();
    });
}

/// The runbook's commands, as they stand there, one after the other.
#[test]
fn the_runbook_can_be_followed() {
    let runbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks/reproject.md");
    let runbook = std::fs::read_to_string(runbook).unwrap();
    let commands: Vec<&str> =
        runbook.lines().filter_map(|line| line.trim().strip_prefix("hindcast reproject ")).collect();
    let steps: Vec<&str> = commands.iter().map(|command| command.split(' ').next().unwrap()).collect();
    assert_eq!(steps, ["plan", "build", "verify", "cutover", "rollback", "drop"], "{commands:?}");

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let report = folder.path().join("report.html");
    let dropped = runtime().block_on(async {
        let server = Server::start(&data);
        let http = Http::new(&server.url);
        let keys = keys(&http).await;
        history(&http, &keys, 8, &mut StdRng::seed_from_u64(3)).await;
        http.caught_up().await;
        let mut name = String::new();
        for command in commands {
            let command = command.replace("NAME", &name).replace("report.html", report.to_str().unwrap());
            let arguments = words(&command);
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if arguments[0] == "drop" {
                // Nobody is there to be asked.
                arguments.push("--yes");
                let early = step(&server.url, &arguments).await;
                assert!(early.code == 1 && early.stderr.contains("drop it in"), "{early:?}");
                tokio::time::sleep(Duration::from_secs(61)).await;
            }
            let answer = done(&server.url, &arguments).await;
            match arguments[0] {
                "plan" => name = answer["name"].as_str().unwrap().to_owned(),
                "verify" => assert!(std::fs::read_to_string(&report).unwrap().contains("within tolerance")),
                "cutover" => assert_eq!(answer["stage"], "active"),
                "rollback" => assert_eq!(answer["name"], GenerationSet::default().fingerprint().as_str()),
                "drop" => assert_eq!(answer["stage"], "dropped"),
                _ => {}
            }
        }
        // Everything has stopped writing to the tables; they are removed a moment later.
        tokio::time::sleep(Duration::from_secs(8)).await;
        let sets = done(&server.url, &["status"]).await;
        let dropped = sets["reprojections"].as_array().unwrap().iter().find(|set| set["name"] == *name).unwrap();
        let tables = dropped["tables"].as_array().unwrap().iter().map(|table| table.as_str().unwrap().to_owned());
        let tables: Vec<String> = tables.collect();
        server.stop();
        tables
    });
    let views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();
    runtime().block_on(async {
        for table in dropped {
            let table = hindcast_views::TableName(table.into());
            assert!(hindcast_views::ViewStore::scan(&views, &table, None, 1).await.unwrap().is_empty(), "{table:?}");
            assert_eq!(hindcast_views::ViewStore::progress(&views, &table, 0).await.unwrap(), None);
        }
    });
}

/// Words of a command line; what stands in quotes is one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in command.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
