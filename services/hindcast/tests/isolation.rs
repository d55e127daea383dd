//! A user's answers depend on that user's events alone: they are the same as in a system where nobody else ever was.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::collections::BTreeMap;

use hindcast_domain::partition_of;
use http::{Method, StatusCode};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{Answer, Http, Server, runtime, seed};
use uuid::Uuid;

const PARTITIONS: u16 = 8;
const STEPS: usize = 90;
const SYMBOLS: [&str; 2] = ["ES", "NQ"];
/// All events are of these two days, whatever day the test runs on.
const DAYS: [&str; 2] = ["2026-03-02", "2026-03-03"];

/// One request of a history.
#[derive(Clone)]
struct Step {
    path: String,
    body: Value,
}

#[test]
fn answers_are_the_same_as_if_nobody_else_existed() {
    let seed = seed();
    println!("HINDCAST_SEED={seed} repeats this");
    let mut rng = StdRng::seed_from_u64(seed);
    // Two who share a partition and the beginning of their names, and one of another partition.
    let first = "isolated-1".to_owned();
    let partition = |user: &str| partition_of(user.as_bytes(), PARTITIONS);
    let of = |same: bool| move |user: &String| (partition(user) == partition("isolated-1")) == same;
    let second = (0..1_000).map(|n| format!("isolated-1{n}")).find(of(true)).unwrap();
    let third = (0..1_000).map(|n| format!("isolated-2{n}")).find(of(false)).unwrap();
    let histories: BTreeMap<String, Vec<Step>> =
        [first, second, third].into_iter().map(|user| (user, history(&mut rng))).collect();

    let together = runtime().block_on(play(&histories, &mut rng));
    for (user, steps) in &histories {
        let alone = runtime().block_on(play(&BTreeMap::from([(user.clone(), steps.clone())]), &mut rng));
        let (of_many, of_one) = (&together[user], &alone[user]);
        assert_eq!(of_many.len(), of_one.len());
        for ((what, many), (_, one)) in of_many.iter().zip(of_one) {
            assert_eq!(many, one, "seed {seed}: {user} is answered differently because of the others: {what}");
        }
        assert!(of_one.len() > STEPS, "every step and what is read at the end");
    }
    assert_learned(&together);
}

/// Equal answers prove nothing if they are all neutral.
fn assert_learned(together: &BTreeMap<String, Vec<(String, Value)>>) {
    for (user, answers) in together {
        let confidences: Vec<f64> = answers.iter().filter_map(|(_, answer)| answer["confidence"].as_f64()).collect();
        assert!(confidences.iter().any(|&confidence| confidence != 0.5), "{user} never got past neutral");
    }
    let last = |user: usize| together.values().nth(user).unwrap().last().unwrap().1.clone();
    assert_ne!(last(0)["total_pnl"], last(1)["total_pnl"], "the histories differ");
}

/// Plays histories, each in its own order, interleaved at random; returns what was answered, by user.
async fn play(histories: &BTreeMap<String, Vec<Step>>, rng: &mut StdRng) -> BTreeMap<String, Vec<(String, Value)>> {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let mut players = Vec::new();
    for (user, steps) in histories {
        let player = Player { http: http.clone(), key: http.trader(user).await, position: None, answers: Vec::new() };
        players.push((user.clone(), player, steps.iter()));
    }
    let mut unfinished: Vec<usize> = (0..players.len()).collect();
    while !unfinished.is_empty() {
        let chosen = rng.random_range(0..unfinished.len());
        let (_, player, steps) = &mut players[unfinished[chosen]];
        match steps.next() {
            Some(step) => player.take(step).await,
            None => {
                unfinished.swap_remove(chosen);
            }
        }
    }
    let mut answers = BTreeMap::new();
    for (user, mut player, _) in players {
        player.look(&user).await;
        answers.insert(user, player.answers);
    }
    server.stop();
    answers
}

struct Player {
    http: Http,
    key: String,
    /// Of the user's latest write: what every read has to cover, so that no answer depends on how fast things are.
    position: Option<String>,
    answers: Vec<(String, Value)>,
}

impl Player {
    async fn take(&mut self, step: &Step) {
        let answer = self.request(Method::POST, &step.path, step.body.to_string()).await;
        assert!(answer.status.is_success(), "{} {}: {answer:?}", step.path, step.body);
        if let Some(position) = answer.header("hindcast-position").filter(|_| !step.path.contains("dry_run")) {
            // Of what was sent before, the answer names the place it has had since then.
            let offset = |position: &str| position.rsplit('-').next().unwrap().parse::<u64>().unwrap();
            if self.position.as_ref().is_none_or(|latest| offset(latest) < offset(position)) {
                self.position = Some(position.to_owned());
            }
        }
        self.answers.push((format!("{} {}", step.path, step.body), comparable(answer.json())));
    }

    async fn look(&mut self, user: &str) {
        let mut paths = vec![format!("/v1/activity?from={}&to={}", DAYS[0], DAYS[1])];
        paths.extend(SYMBOLS.map(|symbol| format!("/v1/views/{symbol}?recent=1000")));
        paths.extend(SYMBOLS.map(|symbol| format!("/api/ml/stats?user_id={user}&symbol={symbol}")));
        paths.push("/api/ml/stats".to_owned());
        for path in paths {
            let answer = self.request(Method::GET, &path, String::new()).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            self.answers.push((path, comparable(answer.json())));
        }
    }

    async fn request(&self, method: Method, path: &str, body: String) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        if let Some(position) = &self.position {
            headers.push(("hindcast-min-position", position));
        }
        self.http.try_send(method, path, Some(&self.key), &headers, body).await.unwrap()
    }
}

/// An answer without what may differ: where things stand in the journal.
fn comparable(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            fields.remove("position");
            fields.remove("behind");
            fields.values_mut().for_each(|value| *value = comparable(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = comparable(item.take())),
        _ => {}
    }
    answer
}

/// A user's history: signals, confidences, trades that join them or don't, batches, voids, things sent twice.
fn history(rng: &mut StdRng) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut signals, mut trades): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for _ in 0..STEPS {
        let post = |path: &str, body: &Value| Step { path: path.to_owned(), body: body.clone() };
        steps.push(match rng.random_range(0..10) {
            0 => {
                signals.push(signal(rng));
                post("/v1/signals", &signals[signals.len() - 1])
            }
            1..4 => {
                signals.push(signal(rng));
                post("/v1/confidence", &signals[signals.len() - 1])
            }
            4 => post("/v1/confidence?dry_run=true", &signal(rng)),
            5..8 => {
                trades.push(trade(rng, &signals));
                post("/v1/trades", &trades[trades.len() - 1])
            }
            8 => {
                let mut batch = Vec::new();
                for _ in 0..rng.random_range(1..6) {
                    trades.push(trade(rng, &signals));
                    batch.push(typed("trade", trades[trades.len() - 1].clone()));
                    batch.push(typed("signal", signal(rng)));
                }
                post("/v1/events", &Value::Array(batch))
            }
            _ if trades.is_empty() => post("/v1/confidence?dry_run=true", &signal(rng)),
            _ => {
                let trade = trades[rng.random_range(0..trades.len())].clone();
                if rng.random_bool(0.5) {
                    post("/v1/trades", &trade)
                } else {
                    post(&format!("/v1/trades/{}/void", trade["event_id"].as_str().unwrap()), &json!({}))
                }
            }
        });
    }
    steps
}

fn typed(kind: &str, mut item: Value) -> Value {
    item["type"] = kind.into();
    item
}

fn signal(rng: &mut StdRng) -> Value {
    json!({
        "event_id": Uuid::from_u128(rng.random()), "symbol": SYMBOLS[rng.random_range(0..2)], "side": side(rng),
        "price": 6_000.0 + f64::from(rng.random_range(0..100_u8)) * 0.25, "rsi": f64::from(rng.random_range(0..1_000_u16)) / 10.0,
        "vwap": 6_010.0, "atr": f64::from(rng.random_range(1..90_u8)) / 10.0, "occurred_at": time(rng),
        "strategy": if rng.random_bool(0.5) { "vwap" } else { "rsi" },
    })
}

fn trade(rng: &mut StdRng, signals: &[Value]) -> Value {
    let mut trade = json!({
        "event_id": Uuid::from_u128(rng.random()), "symbol": SYMBOLS[rng.random_range(0..2)], "side": side(rng),
        "entry_price": 6_000.0 + f64::from(rng.random_range(0..100_u8)) * 0.25, "exit_price": 6_012.5,
        "pnl": f64::from(rng.random_range(-400..400_i16)) / 4.0, "simulated": rng.random_bool(0.2),
        "exit_time": time(rng), "entry_rsi": 40.0,
    });
    if let Some(signal) = signals.last().filter(|_| rng.random_bool(0.6)) {
        for field in ["symbol", "side", "strategy"] {
            trade[field] = signal[field].clone();
        }
        trade["entry_price"] = signal["price"].clone();
        trade["signal_id"] = signal["event_id"].clone();
    }
    trade
}

fn side(rng: &mut impl Rng) -> &'static str {
    if rng.random_bool(0.5) { "LONG" } else { "SHORT" }
}

fn time(rng: &mut impl Rng) -> String {
    format!("{}T{:02}:{:02}:00Z", DAYS[rng.random_range(0..2)], rng.random_range(0..24), rng.random_range(0..60))
}
