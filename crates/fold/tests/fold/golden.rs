//! Rows of a scripted history, byte for byte. A fold whose bytes change is a new version of it, with golden rows of its
//! own beside the earlier ones.
//!
//! `HINDCAST_WRITE_GOLDEN=1 cargo test -p hindcast-fold golden` writes those that are missing, and never changes one.

use std::{fmt::Write as _, fs, path::Path};

use hindcast_domain::{Position, Side, TimestampUs};
use hindcast_fold::{
    admission::Unusable,
    generation::{NEWEST_ACTIVITY_FOLD, NEWEST_ADMISSION_FOLD, NEWEST_BOOK_FOLD},
    pipeline::{FoldParams, Input},
};
use hindcast_schemas::events::{SignalReceived, TradeClosed};

use crate::{
    events::{IntoEvent, NOON_ISH, SignalSays, TradeSays, USER, at, dollars, id, signal, trade, void_of},
    world::{Memory, World, second_fold},
};

/// Everything that leaves a trace of its own in a row.
fn history(params: FoldParams) -> World {
    let mut by_own_entry = trade(20).strategy("breakout").side(Side::Short).entered_at(6_480.75).pnl(-137.5);
    by_own_entry.entry_vwap_e9 = Some(dollars(6_470.123_456_789));
    by_own_entry.entry_rsi = Some(71.25);
    by_own_entry.entry_time = Some(TimestampUs(NOON_ISH.0 - 90 * 60_000_000));
    let bare = SignalReceived { price_e9: None, rsi: None, atr: None, volume_ratio: None, ..signal(4) };
    let odd_hour = SignalReceived { features: vec![("hour".into(), 9.5)], ..signal(5) };
    let mut world = World::with_params(params)
        .when(signal(1))
        .when(signal(2).strategy("mean-reversion").price(6_500.25).side(Side::Short))
        .when(signal(3).strategy("breakout").rsi(0.0))
        .when(bare)
        .when(odd_hour)
        .when(signal(6).imported("history.jsonl", 41))
        .when(signal(7).imported("history.jsonl", 41))
        .when(signal(1))
        .when(signal(1).rsi(99.0))
        .when(trade(10).of_signal(1))
        .when(trade(11).of_decision_on(2).strategy("other-name").pnl(-0.000_000_001))
        .when(trade(12).strategy("breakout").pnl(1_234.567_891_234))
        .when(trade(13).of_signal(99).of_decision_on(98).entered_at(1.0).simulated())
        .when(by_own_entry)
        .when(trade(21).days_later(-1).of_signal(5))
        .when(trade(22).of_signal(5).days_later(1))
        .when_voided(21)
        .when_voided(10)
        .when_read(USER, &Input::Unusable { reason: Unusable::Undecodable, detail: "not Avro".to_owned() });
    // Another partition and a later epoch, as after a restore, in another symbol.
    let restored = TradeClosed { symbol: "NQ".into(), pnl_e9: hindcast_domain::MoneyE9(i64::MAX), ..trade(30) };
    let later = |offset| Position { epoch: 2, partition: 11, offset };
    world = world.when_read_at(USER, &Input::Event(restored.clone().event()), later(7));
    world =
        world.when_read_at(USER, &Input::Event(TradeClosed { event_id: id(31), ..restored }.event()), later(1 << 40));
    let lost = TradeClosed { symbol: "NQ".into(), ..trade(40) };
    world = world.when_read_at(USER, &Input::Event(void_of(&lost, at(0)).event()), later((1 << 40) + 1));
    world
}

/// What leaves a trace only since version 2 of the fold of books.
fn history_of_books_2() -> World {
    let told = SignalReceived { spread: Some(0.25), session: Some("RTH".into()), atr: Some(12.5), ..signal(50) };
    history(second_fold(256, 64))
        .when(told.clone())
        .when(SignalReceived { event_id: id(51), ..told })
        .when(trade(60).of_signal(50))
}

fn lines(memory: &Memory, projection: &str) -> String {
    let mut lines = String::new();
    for ((of, key), (applied, row)) in memory.rows() {
        if of == projection {
            writeln!(lines, "{} {applied} {}", hex(&key), hex(&row)).unwrap();
        }
    }
    lines
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn check(projection: &str, fold_version: u32, history: &World) {
    let name = format!("{projection}-fold{fold_version}.hex");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(&name);
    let found = lines(&history.memory, projection);
    if !path.exists() && std::env::var_os("HINDCAST_WRITE_GOLDEN").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("golden/{name}: {error}"));
    assert!(
        golden == found,
        "the fold of {projection} gives other bytes than golden/{name}: make it a new version of the fold, since rows \
         of version {fold_version} are in use. Now:\n{found}"
    );
}

#[test]
fn golden_admissions() {
    check("admission", NEWEST_ADMISSION_FOLD, &history(FoldParams::default()));
}

#[test]
fn golden_books() {
    check("book", 1, &history(FoldParams::default()));
    check("book", NEWEST_BOOK_FOLD, &history_of_books_2());
}

#[test]
fn golden_activities() {
    check("activity", NEWEST_ACTIVITY_FOLD, &history(FoldParams::default()));
}
