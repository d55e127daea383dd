//! SIGKILL at random moments while clients write: nothing acknowledged is lost, nothing counts twice, views equal a fold
//! from scratch, and every decision derives again.
//!
//! `HINDCAST_SEED` repeats a run's choices, `HINDCAST_KILL_ROUNDS` changes how many rounds there are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{
    Log, ReadLimit, RecordType, Topic,
    embedded::{EmbeddedLog, EmbeddedLogConfig},
};
use hindcast_replay_tools::{refold, verify_decisions};
use hindcast_schemas::{Codec, Event, LocalRegistry};
use hindcast_views::embedded::{EmbeddedViews, EmbeddedViewsConfig};
use http::Method;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{Http, Server, seed};
use uuid::Uuid;

const USERS: usize = 6;
const CLIENTS_PER_USER: usize = 2;
const SYMBOLS: [&str; 2] = ["ES", "NQ"];

/// What a client was told.
#[derive(Default)]
struct Told {
    /// (user, kind, event id) and the position answered.
    events: Vec<(String, &'static str, Uuid, String)>,
    /// Decision id and what was answered.
    decisions: Vec<(Uuid, Value)>,
    /// Trades that may be voided or sent again: offset at which they were recorded, id and body.
    trades: Vec<(u64, (Uuid, Value))>,
    /// The highest offset answered.
    latest_offset: u64,
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let seed = seed();
    let rounds: usize = std::env::var("HINDCAST_KILL_ROUNDS").map_or(20, |text| text.parse().unwrap());
    println!("seed {seed}, {rounds} rounds");
    let result = std::panic::catch_unwind(|| run(seed, rounds));
    if let Err(panic) = result {
        eprintln!("failed with seed {seed}; HINDCAST_SEED={seed} makes the same choices");
        std::panic::resume_unwind(panic);
    }
}

fn run(seed: u64, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut keys = Vec::new();
    let mut told: Vec<Told> = (0..USERS * CLIENTS_PER_USER).map(|_| Told::default()).collect();
    for round in 0..rounds {
        let mut server = Server::start(&data);
        let http = Http::new(&server.url);
        if round == 0 {
            for user in 0..USERS {
                keys.push(runtime.block_on(http.trader(&format!("killed-{user}"))));
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = told
            .drain(..)
            .enumerate()
            .map(|(client, told)| {
                let (http, key, stop) = (http.clone(), keys[client % USERS].clone(), Arc::clone(&stop));
                let user = format!("killed-{}", client % USERS);
                let rng = StdRng::seed_from_u64(rng.next_u64());
                runtime.spawn(write_until_killed(http, user, key, told, rng, stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(rng.random_range(30..700)));
        server.kill();
        stop.store(true, Ordering::Release);
        told = clients.into_iter().map(|client| runtime.block_on(client).unwrap()).collect();
    }
    let server = Server::start(&data);
    let http = Http::new(&server.url);
    runtime.block_on(http.caught_up());
    let views: Vec<Value> = (0..USERS)
        .flat_map(|user| SYMBOLS.map(|symbol| (user, symbol)))
        .map(|(user, symbol)| runtime.block_on(http.get(&format!("/v1/views/{symbol}"), &keys[user])).json())
        .collect();
    server.stop();
    judge(&data, &told, &views);
}

/// Sends random events until the connection breaks; remembers what was acknowledged.
async fn write_until_killed(
    http: Http,
    user: String,
    key: String,
    mut told: Told,
    mut rng: StdRng,
    stop: Arc<AtomicBool>,
) -> Told {
    while !stop.load(Ordering::Acquire) {
        let (path, body) = match rng.random_range(0..10) {
            0..3 => ("/v1/signals".to_owned(), signal(&mut rng)),
            3..5 => ("/v1/confidence".to_owned(), signal(&mut rng)),
            5..7 => ("/v1/trades".to_owned(), trade(&mut rng, &told)),
            7 => match recent_trade(&told, &mut rng) {
                // The same again, perhaps in another round.
                Some((_, body)) => ("/v1/trades".to_owned(), body.clone()),
                None => continue,
            },
            8 => match recent_trade(&told, &mut rng) {
                Some((id, _)) if rng.random_bool(0.3) => (format!("/v1/trades/{id}/void"), json!({})),
                _ => continue,
            },
            _ => {
                let mut items: Vec<Value> = (0..rng.random_range(1..20))
                    .map(|_| {
                        let is_signal = rng.random_bool(0.5);
                        let mut item = if is_signal { signal(&mut rng) } else { trade(&mut rng, &told) };
                        item["type"] = if is_signal { "signal" } else { "trade" }.into();
                        item
                    })
                    .collect();
                items.push(json!({"type": "signal", "symbol": "ES", "side": "UP"}));
                ("/v1/events".to_owned(), Value::Array(items))
            }
        };
        let headers = [("content-type", "application/json")];
        let sent = http.try_send(Method::POST, &path, Some(&key), &headers, Bytes::from(body.to_string())).await;
        // A broken connection is what a kill looks like; a 503 while starting or stopping acknowledges nothing.
        let Ok(answer) = sent else { return told };
        if !answer.status.is_success() {
            assert!(matches!(answer.status.as_u16(), 503 | 404 | 409), "{path} answered {answer:?}");
            continue;
        }
        let answer = answer.json();
        match path.as_str() {
            "/v1/events" => {
                for (item, result) in body.as_array().unwrap().iter().zip(answer["results"].as_array().unwrap()) {
                    if result["status"] == 201 {
                        remember(
                            &mut told,
                            &user,
                            if item["type"] == "signal" { "signal" } else { "trade" },
                            item,
                            result,
                        );
                    }
                }
            }
            "/v1/confidence" => {
                remember(&mut told, &user, "signal", &body, &answer);
                told.decisions.push((id_of(&answer, "decision_id"), answer));
            }
            "/v1/signals" => remember(&mut told, &user, "signal", &body, &answer),
            "/v1/trades" => remember(&mut told, &user, "trade", &body, &answer),
            _ => remember(&mut told, &user, "void", &body, &answer),
        }
    }
    told
}

/// Ids are remembered for a user's last 1,024 events; what was sent before that would count as new. Offsets of the
/// partition rise at least as fast as the user's events do.
const RECENT_OFFSETS: u64 = 400;

fn recent_trade<'a>(told: &'a Told, rng: &mut StdRng) -> Option<&'a (Uuid, Value)> {
    let oldest = told.latest_offset.saturating_sub(RECENT_OFFSETS);
    let recent = told.trades.len() - told.trades.iter().rev().take_while(|(offset, _)| *offset >= oldest).count();
    let recent = told.trades.get(recent..)?;
    recent.get(rng.random_range(0..recent.len().max(1))).map(|(_, trade)| trade)
}

fn remember(told: &mut Told, user: &str, kind: &'static str, body: &Value, answer: &Value) {
    let id = id_of(answer, "event_id");
    let position = &answer["position"];
    let offset = position["offset"].as_u64().unwrap_or_else(|| panic!("no position in {answer}"));
    let position = format!("{}-{}-{offset}", position["epoch"], position["partition"]);
    told.latest_offset = told.latest_offset.max(offset);
    told.events.push((user.to_owned(), kind, id, position));
    if kind == "trade" {
        let mut body = body.clone();
        // An item of a batch is sent again as a body of its own.
        body.as_object_mut().unwrap().remove("type");
        told.trades.push((offset, (id, body)));
    }
}

fn id_of(answer: &Value, field: &str) -> Uuid {
    answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}")).parse().unwrap()
}

fn signal(rng: &mut StdRng) -> Value {
    json!({
        "event_id": Uuid::from_u128(rng.random()), "symbol": SYMBOLS[rng.random_range(0..2)],
        "side": if rng.random_bool(0.5) { "LONG" } else { "SHORT" },
        "price": 6_000.0 + f64::from(rng.random_range(0..100_u8)) * 0.25, "rsi": rng.random_range(0..1_000) as f64 / 10.0,
        "vwap": 6_010.0, "atr": rng.random_range(1..90) as f64 / 10.0,
    })
}

fn trade(rng: &mut StdRng, told: &Told) -> Value {
    let mut trade = json!({
        "event_id": Uuid::from_u128(rng.random()), "symbol": SYMBOLS[rng.random_range(0..2)],
        "side": if rng.random_bool(0.5) { "LONG" } else { "SHORT" },
        "entry_price": 6_000.0 + f64::from(rng.random_range(0..100_u8)) * 0.25, "exit_price": 6_012.5,
        "pnl": f64::from(rng.random_range(-400..400)) / 4.0, "simulated": rng.random_bool(0.2),
    });
    if let Some((decision, _)) = told.decisions.last().filter(|_| rng.random_bool(0.5)) {
        trade["decision_id"] = decision.to_string().into();
    }
    trade
}

fn judge(data: &Path, told: &[Told], views: &[Value]) {
    let log = EmbeddedLog::open(&data.join("journal"), &EmbeddedLogConfig::default()).unwrap();
    let codec = Codec::new(LocalRegistry).unwrap();
    let mut records = HashMap::new();
    // Distinct events of each user and symbol: what must be counted, once.
    let mut distinct: BTreeMap<(String, String), Counts> = BTreeMap::new();
    for partition in 0..log.identity().partitions {
        for record in read_all(&log, Topic::Journal, partition) {
            if record.record_type == RecordType::Genesis {
                continue;
            }
            let event = codec.decode_event(&record.value).unwrap();
            let kind = match &event {
                Event::Signal(_) => "signal",
                Event::Trade(_) => "trade",
                Event::Void(_) => "void",
            };
            let identity = (event.user_id().to_owned(), kind, event.event_id());
            records.entry((identity.clone(), record.position.to_string())).or_insert(());
            distinct.entry((identity.0.clone(), event.symbol().to_owned())).or_default().add(&event);
        }
    }
    let mut acknowledged = 0;
    for (user, kind, id, position) in told.iter().flat_map(|told| &told.events) {
        acknowledged += 1;
        let stored = ((user.clone(), *kind, *id), position.clone());
        assert!(records.contains_key(&stored), "{kind} {id} of {user} was acknowledged at {position} and is not there");
    }
    for (view, (user, symbol)) in views.iter().zip((0..USERS).flat_map(|user| SYMBOLS.map(|symbol| (user, symbol)))) {
        let counts = distinct.get(&(format!("killed-{user}"), symbol.to_owned())).cloned().unwrap_or_default();
        counts.assert_equals(view, user);
    }

    let from_scratch = refold(&log, &codec, &GenerationSet::default()).unwrap();
    let views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let comparison = runtime.block_on(from_scratch.compare(&views)).unwrap();
    assert!(comparison.is_same(), "views differ from a fold from scratch: {:?}", comparison.differences);

    let verified = verify_decisions(&log, &codec).unwrap();
    assert!(verified.is_same(), "decisions do not derive again: {:?}", verified.findings);
    let answered = told.iter().map(|told| told.decisions.len()).sum::<usize>();
    assert!(verified.decisions() >= answered as u64, "{answered} answered, {} recorded", verified.decisions());
    println!(
        "{acknowledged} acknowledged, {} journal records, {} rows equal, {} decisions derived again",
        records.len(),
        comparison.same,
        verified.decisions()
    );
    assert!(acknowledged > 100, "the test has to write something: {acknowledged}");
}

#[derive(Default, Clone)]
struct Counts {
    signals: std::collections::HashSet<Uuid>,
    trades: BTreeMap<Uuid, (i64, bool)>,
    voided: std::collections::HashSet<Uuid>,
}

impl Counts {
    fn add(&mut self, event: &Event<'_>) {
        match event {
            Event::Signal(signal) => {
                self.signals.insert(signal.event_id);
            }
            Event::Trade(trade) => {
                self.trades.entry(trade.event_id).or_insert((trade.pnl_e9.0, trade.simulated));
            }
            Event::Void(void) => {
                self.voided.insert(void.trade_event_id);
            }
        }
    }

    fn assert_equals(&self, view: &Value, user: usize) {
        let standing = |simulated: bool| {
            let trades = self.trades.iter().filter(|(id, trade)| !self.voided.contains(id) && trade.1 == simulated);
            trades.map(|(_, trade)| trade.0).collect::<Vec<_>>()
        };
        let (taken, simulated) = (standing(false), standing(true));
        assert_eq!(view["signals"], self.signals.len(), "signals of user {user}: {view}");
        assert_eq!(view["trades"], taken.len(), "trades of user {user}: {view}");
        assert_eq!(view["wins"], taken.iter().filter(|pnl| **pnl > 0).count(), "wins of user {user}: {view}");
        assert_eq!(view["simulated_trades"], simulated.len(), "simulated trades of user {user}: {view}");
        let sum: i128 = taken.iter().map(|pnl| i128::from(*pnl)).sum();
        assert_eq!(view["total_pnl"].as_f64(), Some(sum as f64 / 1e9), "pnl of user {user}: {view}");
    }
}

fn read_all(log: &dyn Log, topic: Topic, partition: u16) -> Vec<hindcast_journal::Record> {
    let end = *log.durable_end(topic, partition).borrow();
    let (mut all, mut next) = (Vec::new(), 0);
    while next < end {
        next = log.read(topic, partition, next, ReadLimit { records: 10_000, bytes: 64 << 20 }, &mut all).unwrap();
    }
    all
}
