//! What the benchmarks send: seeded, so that two runs send the same.

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

/// One of some prepared items, by turns; there is at least one.
#[allow(clippy::indexing_slicing)] // below the length
pub(super) fn by_turns<T>(items: &[T], turn: usize) -> &T {
    &items[turn % items.len()]
}

/// The body that a connection sends next: connections begin at different ones.
pub(super) fn next_body(bodies: &[Bytes], connection: usize, number: u64) -> Bytes {
    let turn = connection.wrapping_mul(31).wrapping_add(usize::try_from(number).unwrap_or(0));
    by_turns(bodies, turn).clone()
}

/// Bodies of signals as bots send them.
pub(super) fn signals(count: usize) -> Vec<Bytes> {
    let mut rng = StdRng::seed_from_u64(11);
    (0..count).map(|_| Bytes::from(signal(&mut rng).to_string())).collect()
}

/// Bodies of closed trades as bots send them.
pub(super) fn trades(count: usize) -> Vec<Bytes> {
    let mut rng = StdRng::seed_from_u64(12);
    (0..count).map(|_| Bytes::from(trade(&mut rng).to_string())).collect()
}

/// An NDJSON batch for `/v1/events`: a signal, its trade, the next signal, and so on.
pub(super) fn batch(seed: u64, events: usize) -> Bytes {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut lines = Vec::new();
    for number in 0..events {
        let mut event = if number % 2 == 0 { signal(&mut rng) } else { trade(&mut rng) };
        if let Some(fields) = event.as_object_mut() {
            fields.insert("type".to_owned(), json!(if number % 2 == 0 { "signal" } else { "trade" }));
        }
        lines.extend_from_slice(event.to_string().as_bytes());
        lines.push(b'\n');
    }
    Bytes::from(lines)
}

fn ticks(rng: &mut StdRng) -> f64 {
    6_000.0 + f64::from(rng.random_range(0..4_000_u32)) * 0.25
}

fn tenths(rng: &mut StdRng, from: u32, to: u32) -> f64 {
    f64::from(rng.random_range(from * 10..to * 10)) / 10.0
}

fn side(rng: &mut StdRng) -> &'static str {
    if rng.random_bool(0.5) { "LONG" } else { "SHORT" }
}

fn signal(rng: &mut StdRng) -> serde_json::Value {
    let price = ticks(rng);
    json!({
        "symbol": "ES", "side": side(rng), "price": price, "vwap": price + tenths(rng, 1, 9),
        "rsi": tenths(rng, 10, 90), "atr": tenths(rng, 1, 9), "volume_ratio": tenths(rng, 1, 4),
    })
}

fn trade(rng: &mut StdRng) -> serde_json::Value {
    let entry = ticks(rng);
    let points = f64::from(rng.random_range(-40..40_i32)) * 0.25;
    json!({
        "symbol": "ES", "side": side(rng), "entry_price": entry, "exit_price": entry + points, "pnl": points * 50.0,
        "entry_rsi": tenths(rng, 10, 90), "entry_vwap": entry + tenths(rng, 1, 9),
    })
}
