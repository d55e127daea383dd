//! Real signals and their outcomes, whose writer kept streak and recent profit itself: the book must agree with it.

use std::{collections::BTreeMap, fs, path::Path};

use hindcast_domain::{MoneyE9, Side};
use hindcast_fold::{admission::Admission, book::Book};
use hindcast_schemas::events::{SignalReceived, TradeClosed};
use serde::Deserialize;

use crate::{
    events::{IntoEvent, TradeSays, id, signal, trade},
    world::{World, bytes, given_nothing},
};

/// The file is one period recorded four times; each recording begins at one of these rows.
const RECORDINGS_BEGIN: [usize; 4] = [0, 297, 711, 1_137];

#[derive(Deserialize)]
struct Experience {
    signal: Side,
    entry_price: f64,
    rsi: f64,
    vwap_distance: f64,
    atr: f64,
    volume_ratio: f64,
    hour: f64,
    streak: i64,
    recent_pnl: f64,
    took_trade: bool,
    pnl: f64,
}

fn experiences() -> Vec<Experience> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/es_experiences.jsonl");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} is needed: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("an experience")).collect()
}

fn told(number: u128, experience: &Experience) -> [hindcast_schemas::Event<'static>; 2] {
    let signal = SignalReceived {
        side: experience.signal,
        price_e9: Some(MoneyE9::from_f64(experience.entry_price).unwrap()),
        rsi: Some(experience.rsi),
        vwap_distance_abs_percent: Some((experience.vwap_distance * 100.0).abs()),
        atr: Some(experience.atr),
        volume_ratio: Some(experience.volume_ratio),
        features: vec![("hour".into(), experience.hour)],
        ..signal(number)
    };
    let trade = TradeClosed {
        entry_price_e9: MoneyE9::from_f64(experience.entry_price).unwrap(),
        simulated: !experience.took_trade,
        ..trade(number).side(experience.signal).pnl(experience.pnl)
    };
    [signal.event(), trade.event()]
}

#[test]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
fn the_book_agrees_with_who_recorded_the_history() {
    let experiences = experiences();
    assert_eq!(experiences.len(), 1_541);
    let ends = RECORDINGS_BEGIN.into_iter().skip(1).chain([experiences.len()]);
    for (begin, end) in RECORDINGS_BEGIN.into_iter().zip(ends) {
        let mut world = given_nothing();
        for (row, experience) in experiences.iter().enumerate().take(end).skip(begin) {
            if row > begin {
                let book = world.book();
                assert_eq!(book.streak(), experience.streak, "row {row}");
                let recent_pnl = book.recent_pnl_e9() as f64 / 1e9;
                assert!((recent_pnl - experience.recent_pnl).abs() < 1e-6, "row {row}: {recent_pnl}");
            }
            world = told(row as u128, experience).into_iter().fold(world, World::when);
        }
        let period = experiences.iter().take(end).skip(begin);
        let taken: Vec<_> = period.filter(|experience| experience.took_trade).collect();
        let pnl_e9: i128 = taken.iter().map(|taken| i128::from(MoneyE9::from_f64(taken.pnl).unwrap().0)).sum();
        let book = world.book();
        assert_eq!(book.taken.trades, taken.len() as u64);
        assert_eq!(book.taken.wins, taken.iter().filter(|taken| taken.pnl > 0.0).count() as u64);
        assert_eq!(book.taken.pnl_e9, pnl_e9);
        assert_eq!(book.joined, (end - begin) as u64);
        assert_eq!(book.ring.len(), 256);
        assert_eq!(Book::decode(&bytes(|into| book.encode(into))).as_ref(), Ok(book));
    }
}

#[test]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
fn rows_of_real_history_are_small() {
    let events =
        experiences().iter().enumerate().flat_map(|(row, told_of)| told(row as u128, told_of)).collect::<Vec<_>>();
    let world = events.into_iter().fold(given_nothing(), World::when);
    let book = bytes(|into| world.book().encode(into));
    let admission = bytes(|into| world.admission().encode(into));
    let bytes: BTreeMap<_, _> = [("book", book.len()), ("admission", admission.len())].into();
    assert!(bytes["book"] < 30_000 && bytes["admission"] < 32_000, "{bytes:?}");
    assert_eq!(world.admission().fresh(), 3_082);
    assert!(world.admission().find(hindcast_domain::EventKind::Trade, id(0)).is_none());
    assert_eq!(Admission::decode(&admission).as_ref(), Ok(world.admission()));
}
