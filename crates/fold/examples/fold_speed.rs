//! How fast one event is folded and a full book becomes bytes and back, on one core with warm states:
//! `cargo run --release -p hindcast-fold --example fold_speed`.

use std::{
    collections::HashMap,
    hint::black_box,
    time::{Duration, Instant},
};

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs, decision_id};
use hindcast_fold::{
    activity::Activity,
    admission::Admission,
    book::Book,
    pipeline::{FoldParams, Input, States, fold_record},
};
use hindcast_schemas::{
    Event,
    events::{SignalReceived, TradeClosed},
};
use uuid::Uuid;

const USERS: u64 = 200;
const ROUNDS: u64 = 1_500;
const USUALLY_SKIPPED: u64 = 3;

#[derive(Default)]
struct User {
    admission: Admission,
    book: Book,
    activity: Activity,
}

struct Memory(HashMap<String, User>);

impl Memory {
    fn user(&mut self, user: &str) -> &mut User {
        if !self.0.contains_key(user) {
            self.0.insert(user.to_owned(), User::default());
        }
        self.0.entry(user.to_owned()).or_default()
    }
}

/// One user at a time, so that the map is not what is measured.
struct OneUser<'a>(&'a mut User);

impl States for OneUser<'_> {
    fn admission(&mut self, _user: &str) -> &mut Admission {
        &mut self.0.admission
    }
    fn book(&mut self, _user: &str, _symbol: &str) -> &mut Book {
        &mut self.0.book
    }
    fn activity(&mut self, _user: &str, _day: i32) -> &mut Activity {
        &mut self.0.activity
    }
}

/// Scatters numbers over ids as random ones would be.
fn id(number: u64) -> Uuid {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u64_pair(mixed, mixed.rotate_left(31) ^ number)
}

fn price(number: u64) -> MoneyE9 {
    let ticks = i64::try_from(number % 400).unwrap_or_default();
    MoneyE9(6_500_000_000_000 + ticks * 250_000_000)
}

fn signal(user: &str, number: u64) -> SignalReceived<'static> {
    SignalReceived {
        event_id: id(number),
        user_id: user.to_owned().into(),
        symbol: "ES".into(),
        strategy: Some("vwap-rsi".into()),
        occurred_at: TimestampUs(1_763_044_200_000_000),
        received_at: TimestampUs(1_763_044_200_000_100),
        import: None,
        side: if number.is_multiple_of(2) { Side::Long } else { Side::Short },
        price_e9: Some(price(number)),
        rsi: Some(28.0),
        vwap_e9: Some(MoneyE9(6_508_000_000_000)),
        vwap_distance_percent: Some(-0.13),
        vwap_distance_abs_percent: Some(0.13),
        volume: Some(1_200.0),
        atr: Some(1.5),
        volume_ratio: Some(2.0),
        features: vec![("vix".into(), 19.0)],
        spread: None,
        session: None,
    }
}

fn trade(user: &str, number: u64, of_signal: u64, join: Join) -> TradeClosed<'static> {
    TradeClosed {
        event_id: id(number),
        user_id: user.to_owned().into(),
        symbol: "ES".into(),
        strategy: Some("vwap-rsi".into()),
        occurred_at: TimestampUs(1_763_044_260_000_000),
        received_at: TimestampUs(1_763_044_260_000_100),
        import: None,
        signal_id: (join == Join::SignalId).then(|| id(of_signal)),
        decision_id: (join == Join::Decision).then(|| decision_id(user, id(of_signal))),
        side: if of_signal.is_multiple_of(2) { Side::Long } else { Side::Short },
        quantity: Some(1.0),
        entry_price_e9: price(of_signal),
        exit_price_e9: MoneyE9(6_501_000_000_000),
        pnl_e9: MoneyE9(if number.is_multiple_of(3) { -25_000_000_000 } else { 50_000_000_000 }),
        entry_time: None,
        exit_time: None,
        entry_vwap_e9: Some(MoneyE9(6_508_000_000_000)),
        entry_rsi: Some(28.0),
        exit_vwap_e9: None,
        exit_rsi: None,
        exit_reason: None,
        max_adverse_e9: None,
        max_favourable_e9: None,
        simulated: false,
        fees_e9: None,
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Join {
    SignalId,
    Decision,
    Price,
}

/// A round of one user: four signals, of which the second is traded.
fn round(user: &str, round: u64, join: Join) -> Vec<Input<'static>> {
    let first = round * 8;
    let mut told: Vec<_> =
        (0..=USUALLY_SKIPPED).map(|n| Input::Event(Event::Signal(signal(user, first + n)))).collect();
    told.push(Input::Event(Event::Trade(trade(user, first + 7, first + 1, join))));
    told
}

fn main() {
    let params = FoldParams::default();
    let users: Vec<String> = (0..USERS).map(|n| format!("trader-{n:06}")).collect();
    for join in [Join::SignalId, Join::Decision, Join::Price] {
        let mut memory = Memory(HashMap::new());
        let mut offset = 0;
        let (mut spent, mut folded) = (Duration::ZERO, 0_u32);
        for turn in 0..ROUNDS {
            for user in &users {
                let told = round(user, turn, join);
                let states = memory.user(user);
                let started = Instant::now();
                for input in &told {
                    let position = Position { epoch: 0, partition: 0, offset };
                    black_box(fold_record(&mut OneUser(states), &params, user, input, position));
                    offset += 1;
                    // The first thousand events of a user fill its states.
                    folded += u32::from(turn >= ROUNDS / 5);
                }
                if turn >= ROUNDS / 5 {
                    spent += started.elapsed();
                }
            }
        }
        println!("fold of an event, trades join by {join:?}: {:?}", spent / folded);
        if join == Join::SignalId
            && let Some(user) = memory.0.values().next()
        {
            rows(user);
        }
    }
}

fn rows(user: &User) {
    const TIMES: u32 = 2_000;
    let mut row = Vec::new();
    let started = Instant::now();
    for _ in 0..TIMES {
        row.clear();
        black_box(&user.book).encode(&mut row);
    }
    println!("book of {} trades to {} bytes: {:?}", user.book.ring.len(), row.len(), started.elapsed() / TIMES);
    let started = Instant::now();
    for _ in 0..TIMES {
        let _ = black_box(Book::decode(black_box(&row)));
    }
    println!("book from bytes: {:?}; {} bytes of memory", started.elapsed() / TIMES, user.book.memory_bytes());
    row.clear();
    let started = Instant::now();
    for _ in 0..TIMES {
        row.clear();
        black_box(&user.admission).encode(&mut row);
    }
    println!("admission to {} bytes: {:?}", row.len(), started.elapsed() / TIMES);
    let started = Instant::now();
    for _ in 0..TIMES {
        let _ = black_box(Admission::decode(black_box(&row)));
    }
    println!(
        "admission from bytes: {:?}; {} bytes of memory",
        started.elapsed() / TIMES,
        user.admission.memory_bytes()
    );
}
