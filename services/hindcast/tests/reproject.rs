//! Another set of generations from plan to drop while clients go on: no request fails, nothing is missing in either set,
//! whatever is killed meanwhile, and every decision derives again from the set that it names.
//!
//! `HINDCAST_SEED` repeats a run's choices; `HINDCAST_REPROJECT_USERS`, `HINDCAST_REPROJECT_ROUNDS` and
//! `HINDCAST_SWITCHES` change how many there are.

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
#[cfg(feature = "mistaken-fold")]
use hindcast_replay_tools::refold;
use hindcast_schemas::{Codec, LocalRegistry};
use hindcast_views::{
    ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig},
};
use http::Method;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{
    Answer, Http, Server,
    judge::{assert_refolded, judge},
    reproject::{PATH, RING_TRADES, changed, done, plan, plan_again, stage, step, until_no_lag},
    runtime, seed,
    writers::{OnFailure, Places, SYMBOLS, Told, Writer, events, whole_history},
};

const USERS: usize = 4;

/// Clients that write without end.
struct Clients {
    keys: Vec<String>,
    stop: Arc<AtomicBool>,
    running: Vec<tokio::task::JoinHandle<Told>>,
}

impl Clients {
    /// Clients of the users of that name, by turns.
    fn start(
        http: &Http,
        name: &str,
        keys: Vec<String>,
        told: Vec<Told>,
        on_failure: OnFailure,
        rng: &mut StdRng,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let running = told
            .into_iter()
            .enumerate()
            .map(|(client, told)| {
                let writer = Writer {
                    places: Places { ingress: vec![http.clone()], confidence: vec![http.clone()] },
                    user: format!("{name}-{}", client % USERS),
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

/// Keys of the users of a name.
async fn keys(http: &Http, name: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for user in 0..USERS {
        keys.push(http.trader(&format!("{name}-{user}")).await);
    }
    keys
}

/// Brings in history, so that a build takes a while: batches of 500 events, of the users in turn.
async fn history(http: &Http, keys: &[String], batches: usize, rng: &mut StdRng) {
    for batch in 0..batches {
        let answer = http.post("/v1/events", &keys[batch % keys.len()], &events(500, rng)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// The views of the users of a name.
async fn answers(http: &Http, name: &str, keys: &[String]) -> Vec<((String, String), Value)> {
    // Without a position to wait for, rows of up to a second ago may serve.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let mut answers = Vec::new();
    for (user, key) in keys.iter().enumerate() {
        for symbol in SYMBOLS {
            let answer = http.get(&format!("/v1/views/{symbol}"), key).await;
            answers.push(((format!("{name}-{user}"), symbol.to_owned()), answer.json()));
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
    println!("{} rows of the other set", assert_refolded(&log, &codec, &views, &changed()));
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
        let keys = keys(&http, "moved").await;
        let others = whole_history(&http, &mut rng, &http).await;
        let nothing = (0..USERS * 2).map(|_| Told::default()).collect();
        // A client repeats once what is refused; none may have to.
        let repeats = OnFailure::Repeat(1, Duration::from_millis(100));
        let clients = Clients::start(&http, "moved", keys, nothing, repeats, &mut rng);

        let url = &*server.url;
        let name = changed().fingerprint();
        let looked = plan(url, &["--dry-run"]).await.json();
        assert_eq!((looked["planned"].as_bool(), looked["name"].as_str()), (Some(false), Some(&*name)));
        assert_eq!(step(url, &["build", &name]).await.code, 1, "nothing was planned");
        assert!(plan(url, &["--why", "regimes"]).await.json()["events"].as_u64() >= Some(others as u64));
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
        let before = GenerationSet::default().fingerprint();
        assert_eq!(done(url, &["rollback"]).await["name"], *before);
        let again = http.post(&format!("{PATH}/rollback"), &http.operator().await, &json!({"from": name})).await.json();
        assert_eq!((&again["name"], &again["stage"]), (&json!(before), &json!("active")), "sent twice is once");
        let strange = json!({"from": "no such set"});
        let refused = http.post(&format!("{PATH}/rollback"), &http.operator().await, &strange).await;
        assert_eq!(refused.status, 404, "{refused:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(step(url, &["drop", &name, "--yes"]).await.stderr.contains("active"));
        assert_eq!(step(url, &["drop", &name]).await.code, 2, "nobody is there to be asked");

        let keys = clients.keys.clone();
        let told = clients.stop().await;
        http.caught_up().await;
        let answers = answers(&http, "moved", &keys).await;
        for (_, view) in &answers {
            let by_regime = view["regimes"].as_array().unwrap().iter().map(|regime| regime["trades"].as_u64().unwrap());
            let outside = view["trades_voided_outside_ring"].as_u64().unwrap();
            assert!(by_regime.sum::<u64>() <= view["trades"].as_u64().unwrap() + outside, "{view}");
        }
        server.stop();
        (told, answers)
    });
    assert_eq!(told.iter().map(|told| told.given_up + told.repeated).sum::<u64>(), 0, "requests failed");
    judge_folder(&data, &told, &answers);
}

/// The stage of a set in which the process is killed, one a round.
const KILLED_WHILE: [&str; 7] = ["building", "verifying", "building", "ready", "active", "building", "standby"];

/// The process is killed in every stage of the life of a set, each time of another system; the builder and the projector
/// die with it. Taking the steps again ends in the very same rows.
#[test]
fn a_build_that_is_killed_goes_on() {
    let seed = seed();
    let rounds: usize = std::env::var("HINDCAST_REPROJECT_ROUNDS").map_or(10, |text| text.parse().unwrap());
    println!("seed {seed}, {rounds} rounds");
    let mut rng = StdRng::seed_from_u64(seed);
    for wanted in KILLED_WHILE.into_iter().cycle().take(rounds) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (told, answers) = runtime().block_on(killed_while(wanted, &data, &mut rng));
        judge_folder(&data, &told, &answers);
    }
}

/// One system that is killed while its other set is in a stage, and then brought to the end.
async fn killed_while(wanted: &str, data: &Path, rng: &mut StdRng) -> (Vec<Told>, Vec<((String, String), Value)>) {
    // So many steps between flushes that a kill meets one.
    let slowly = [("HINDCAST_BUILDER__FLUSH_INTERVAL_MS", "20"), ("HINDCAST_BUILDER__READ_RECORDS", "512")];
    let mut server = Server::start_with(data, &slowly);
    let http = Http::new(&server.url);
    let keys = keys(&http, "moved").await;
    history(&http, &keys, 20, rng).await;
    let nothing = (0..USERS).map(|_| Told::default()).collect();
    let clients = Clients::start(&http, "moved", keys.clone(), nothing, OnFailure::End, rng);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let url = server.url.clone();
    let steps = tokio::spawn(async move {
        let name = changed().fingerprint();
        plan(&url, &[]).await;
        step(&url, &["build", &name, "--max-rate", "10000"]).await;
        loop {
            for arguments in [&["verify", &*name][..], &["cutover", &name], &["rollback"]] {
                step(&url, arguments).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let name = changed().fingerprint();
    let operator = http.operator().await;
    let since = Instant::now();
    while stage(&http, &operator, &name).await != wanted {
        assert!(since.elapsed() < Duration::from_secs(60), "the set was never {wanted}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Still within that stage.
    let most_ms = match wanted {
        "building" => 700,
        "verifying" => 5,
        _ => 150,
    };
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..most_ms))).await;
    server.kill();
    steps.abort();
    let told = clients.stop().await;

    let server = Server::start(data);
    let http = Http::new(&server.url);
    plan_again(&server.url).await;
    let built = done(&server.url, &["build", &name]).await;
    println!(
        "killed while {wanted}: after {} steps it is {}",
        built["steps"].as_array().unwrap().len(),
        built["stage"]
    );
    if built["stage"] != "active" {
        done(&server.url, &["verify", &name]).await;
    }
    done(&server.url, &["cutover", &name]).await;
    http.caught_up().await;
    until_no_lag(&http).await;
    let answers = answers(&http, "moved", &keys).await;
    server.stop();
    (told, answers)
}

/// A version of the code that counts losses as wins is found before anybody is served from it: `verify` names the keys
/// and both values, and `cutover` refuses.
#[cfg(feature = "mistaken-fold")]
#[test]
fn a_mistaken_fold_is_caught() {
    use hindcast_fold::{book::Book, generation::MISTAKEN_BOOK_FOLD, keys::parse_book_key};

    let mut mistaken = GenerationSet::default();
    mistaken.book.fold_version = MISTAKEN_BOOK_FOLD;
    let name = mistaken.fingerprint();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let verification = runtime().block_on(async {
        let server = Server::start(&data);
        let (http, url) = (Http::new(&server.url), &*server.url);
        let keys = keys(&http, "moved").await;
        history(&http, &keys, 4, &mut StdRng::seed_from_u64(11)).await;
        http.caught_up().await;
        let version = format!("book.fold_version={MISTAKEN_BOOK_FOLD}");
        done(url, &["plan", "--set", &version, "--why", "faster"]).await;
        done(url, &["build", &name]).await;
        // It follows the live end too.
        history(&http, &keys, 4, &mut StdRng::seed_from_u64(12)).await;
        until_no_lag(&http).await;
        let verify = step(url, &["verify", &name]).await;
        assert_eq!(verify.code, 3, "{verify:?}");
        let cutover = step(url, &["cutover", &name]).await;
        assert!(cutover.code == 1 && cutover.stderr.contains("found to differ"), "{cutover:?}");
        server.stop();
        verify.json()
    });

    let log = EmbeddedLog::open(&data.join("journal"), &EmbeddedLogConfig::default()).unwrap();
    let right = refold(&log, &Codec::new(LocalRegistry).unwrap(), &GenerationSet::default()).unwrap();
    let books = right.rows.iter().filter(|((table, _), _)| *table.0 == GenerationSet::default().book_table());
    let right: std::collections::BTreeMap<String, Book> = books
        .map(|((_, key), row)| {
            let (user, symbol) = parse_book_key(key).unwrap();
            (format!("{user} {symbol}"), Book::decode(&row.state).unwrap())
        })
        .collect();
    let books = &verification["rows"].as_array().unwrap()[0];
    assert_eq!((&books["projection"], &books["different"]), (&json!("book"), &json!(right.len())), "{books}");
    let differences = books["differences"].as_array().unwrap();
    assert!(!differences.is_empty(), "{books}");
    for difference in differences {
        assert_eq!(difference["field"], "taken.wins", "{difference}");
        let taken = &right[difference["key"].as_str().unwrap()].taken;
        assert_eq!(difference["old"], taken.wins.to_string(), "{difference}");
        let mistaken: u64 = difference["new"].as_str().unwrap().parse().unwrap();
        // Trades without a profit or a loss are neither.
        assert!(mistaken > taken.wins && mistaken <= taken.trades, "{difference}");
    }
}

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
        let clients = Clients::start(&http, "writing", self::keys(&http, "writing").await, nothing, repeats, &mut rng);

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
        let keys = keys(&http, "moved").await;
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
            assert!(views.scan(&table, None, 1).await.unwrap().is_empty(), "{table:?}");
            assert_eq!(views.progress(&table, 0).await.unwrap(), None);
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
