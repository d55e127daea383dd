//! Clients that write and read at random all the time, and remember what was acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Http};

pub const SYMBOLS: [&str; 2] = ["ES", "NQ"];

/// What a client was told.
#[derive(Default)]
pub struct Told {
    /// (user, kind, event id) and the position answered.
    pub events: Vec<(String, &'static str, Uuid, String)>,
    /// Decision id and what was answered.
    pub decisions: Vec<(Uuid, Value)>,
    /// Reads that were answered.
    pub reads: u64,
    /// Requests that were not answered with success, however often they were sent.
    pub given_up: u64,
    /// Requests that had to be sent again.
    pub repeated: u64,
    /// Trades that may be voided or sent again: offset at which they were recorded, id and body.
    trades: Vec<(u64, (Uuid, Value))>,
    /// The highest offset answered.
    latest_offset: u64,
}

/// Where the roles are served; several of one take turns.
#[derive(Clone)]
pub struct Places {
    pub ingress: Vec<Http>,
    pub confidence: Vec<Http>,
}

/// What a client does when a request fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// A broken connection ends the client; refusals are passed over.
    End,
    /// It sends the same again, as many times at most, after a pause each.
    Repeat(u32, Duration),
}

/// One client of a user, to be spawned.
pub struct Writer {
    pub places: Places,
    pub user: String,
    pub key: String,
    pub told: Told,
    pub seed: u64,
    pub on_failure: OnFailure,
    /// Between two requests.
    pub pause: Duration,
    pub stop: Arc<AtomicBool>,
}

impl Writer {
    /// Sends random requests until it is to stop, or a connection breaks where that is the end.
    pub async fn run(mut self) -> Told {
        let mut rng = StdRng::seed_from_u64(self.seed);
        while !self.stop.load(Ordering::Acquire) {
            // Who sends a request only twice does not wait for the projection: it names where the trade stands.
            let names = matches!(self.on_failure, OnFailure::Repeat(1, _));
            let Some((path, body)) = request(&mut rng, &self.user, &self.told, names) else { continue };
            let Some(answer) = self.send(&path, &body, &mut rng).await else {
                if self.on_failure == OnFailure::End {
                    return self.told;
                }
                self.told.given_up += 1;
                continue;
            };
            if answer.status.is_success() {
                remember_all(&mut self.told, &self.user, &path, &body, &answer.json());
            } else if answer.status.as_u16() == 503 {
                self.told.given_up += 1;
            } else {
                // A trade to void may be unknown there, or voided already.
                assert!(matches!(answer.status.as_u16(), 404 | 409), "{path} answered {answer:?}");
            }
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
        }
        self.told
    }

    /// The last answer; `None` when a connection broke, the last time too.
    async fn send(&mut self, path: &str, body: &Value, rng: &mut StdRng) -> Option<Answer> {
        let (times, pause) = match self.on_failure {
            OnFailure::End => (0, Duration::ZERO),
            OnFailure::Repeat(times, pause) => (times, pause),
        };
        // A read has no body.
        let method = if body.is_null() { Method::GET } else { Method::POST };
        let is_of_confidence = method == Method::GET || path == "/v1/confidence";
        let places = if is_of_confidence { &self.places.confidence } else { &self.places.ingress };
        let first = rng.random_range(0..places.len());
        let mut last = None;
        for attempt in 0..=times {
            if attempt > 0 {
                self.told.repeated += 1;
                tokio::time::sleep(pause).await;
            }
            let place = &places[(first + attempt as usize) % places.len()];
            let headers = [("content-type", "application/json")];
            let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
            let sent = place.try_send(method.clone(), path, Some(&self.key), &headers, body).await;
            if attempt == times && times > 0 {
                // What failed to the end is of interest to whoever reads why a test failed.
                match &sent {
                    Ok(answer) if answer.status.as_u16() != 503 => {}
                    failed => eprintln!("{path} at {} failed the last time: {failed:?}", place.url),
                }
            }
            last = sent.ok();
            if last.as_ref().is_some_and(|answer| answer.status.as_u16() != 503) {
                break;
            }
        }
        last
    }
}

/// A batch of signals with named prices and of trades, half each.
pub fn events(count: usize, rng: &mut StdRng) -> Value {
    let items = (0..count).map(|place| {
        let mut item = if place % 2 == 0 { signal(rng) } else { trade(rng, &Told::default()) };
        item["type"] = if place % 2 == 0 { "signal" } else { "trade" }.into();
        item
    });
    Value::Array(items.collect())
}

/// 400 events of each of `HINDCAST_REPROJECT_USERS` users, 500 by default; tells how many events that are.
pub async fn whole_history(ingress: &Http, rng: &mut StdRng, admin: &Http) -> usize {
    const EVENTS_PER_USER: usize = 400;
    let users: usize = std::env::var("HINDCAST_REPROJECT_USERS").map_or(500, |text| text.parse().unwrap());
    let mut keys = Vec::new();
    for user in 0..users {
        keys.push(admin.trader(&format!("history-{user}")).await);
    }
    // Keys reach every process within two seconds.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for key in keys {
        let answer = ingress.post("/v1/events", &key, &events(EVENTS_PER_USER, rng)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let results = answer.json();
        let results = results["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["status"] == 201), "{results:?}");
    }
    users * EVENTS_PER_USER
}

/// A path and what is posted to it; null for a read.
fn request(rng: &mut StdRng, user: &str, told: &Told, names: bool) -> Option<(String, Value)> {
    Some(match rng.random_range(0..12) {
        0..3 => ("/v1/signals".to_owned(), signal(rng)),
        3..5 => ("/v1/confidence".to_owned(), signal(rng)),
        5..7 => ("/v1/trades".to_owned(), trade(rng, told)),
        // The same again, perhaps in another round.
        7 => ("/v1/trades".to_owned(), recent_trade(told, rng)?.1.clone()),
        8 => {
            let (id, _) = recent_trade(told, rng)?;
            if !rng.random_bool(0.3) {
                return None;
            }
            let body = if names { json!({"position": position_of(told, *id)}) } else { json!({}) };
            (format!("/v1/trades/{id}/void"), body)
        }
        9 => (format!("/v1/views/{}", SYMBOLS[rng.random_range(0..2)]), Value::Null),
        10 if rng.random_bool(0.5) => ("/v1/activity".to_owned(), Value::Null),
        10 => (format!("/api/ml/stats?user_id={user}&symbol=ES"), Value::Null),
        _ => {
            let mut items: Vec<Value> = (0..rng.random_range(1..20))
                .map(|_| {
                    let is_signal = rng.random_bool(0.5);
                    let mut item = if is_signal { signal(rng) } else { trade(rng, told) };
                    item["type"] = if is_signal { "signal" } else { "trade" }.into();
                    item
                })
                .collect();
            items.push(json!({"type": "signal", "symbol": "ES", "side": "UP"}));
            ("/v1/events".to_owned(), Value::Array(items))
        }
    })
}

/// Where a trade stands, as it was answered.
fn position_of(told: &Told, id: Uuid) -> Value {
    let (.., position) = told.events.iter().rev().find(|(_, kind, of, _)| *kind == "trade" && *of == id).unwrap();
    let parts: Vec<u64> = position.split('-').map(|part| part.parse().unwrap()).collect();
    json!({"epoch": parts[0], "partition": parts[1], "offset": parts[2]})
}

fn remember_all(told: &mut Told, user: &str, path: &str, body: &Value, answer: &Value) {
    if body.is_null() {
        told.reads += 1;
        return;
    }
    match path {
        "/v1/events" => {
            for (item, result) in body.as_array().unwrap().iter().zip(answer["results"].as_array().unwrap()) {
                if result["status"] == 201 {
                    let kind = if item["type"] == "signal" { "signal" } else { "trade" };
                    remember(told, user, kind, item, result);
                }
            }
        }
        "/v1/confidence" => {
            remember(told, user, "signal", body, answer);
            told.decisions.push((id_of(answer, "decision_id"), answer.clone()));
        }
        "/v1/signals" => remember(told, user, "signal", body, answer),
        "/v1/trades" => remember(told, user, "trade", body, answer),
        _ => remember(told, user, "void", body, answer),
    }
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
        "spread": rng.random_bool(0.5).then(|| f64::from(rng.random_range(1..4_u8)) * 0.25),
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
