//! Taking trades back.

use hindcast_domain::Side;
use hindcast_fold::{
    admission::{Unusable, Verdict},
    book::{Book, BookRules, JoinedBy},
    generation::AdmissionParams,
    pipeline::FoldParams,
};
use hindcast_schemas::events::TradeVoided;
use proptest::prelude::*;

use crate::{
    events::{IntoEvent, SignalSays, TradeSays, at, signal, trade, void_of},
    histories::{Step, TOLD_AT_MOST, steps, tell},
    world::{World, given, second_fold},
};

#[test]
fn a_voided_trade_was_never_there() {
    given([signal(1).event(), signal(2).price(7.0).event(), trade(3).of_signal(1).pnl(-5.0).event()])
        .when_voided(3)
        .then(|world| {
            let book = world.book();
            assert_eq!(world.waiting(), [1, 2], "the signal waits again, at its place");
            assert_eq!((book.taken.trades, book.taken.wins, book.taken.pnl_e9), (0, 0, 0));
            assert_eq!((book.joined, book.voided, book.voided_outside_ring), (0, 1, 0));
            assert!(book.ring.is_empty());
        })
        .when(trade(4).of_signal(1))
        .then(|world| assert_eq!(world.joined(), [(4, Some(1))]));
}

#[test]
fn a_trade_is_voided_once() {
    given([trade(1), trade(2)]).when_voided(1).when_voided(1).then(|world| {
        assert!(matches!(world.verdict(), Verdict::Duplicate { conflicting: false, .. }));
        assert_eq!((world.book().taken.trades, world.book().voided), (1, 1));
        assert_eq!((world.today().trades, world.today().voided), (1, 1));
    });
}

#[test]
fn a_void_changes_the_day_of_its_trade() {
    given([trade(1).days_later(-2), trade(2)]).when_voided(1).then(|world| {
        assert_eq!((world.today().trades, world.today().voided), (1, 0));
        let days: Vec<_> = world.memory.activities.values().map(|day| (day.trades, day.voided, day.pnl_e9)).collect();
        assert_eq!(days, [(0, 1, 0), (1, 0, 50_000_000_000)]);
    });
}

#[test]
fn a_trade_reported_twice_leaves_its_signal_to_the_right_report() {
    let by_id = [signal(1).event(), trade(2).of_signal(1).event(), trade(3).of_signal(1).event()];
    given(by_id).then(|world| assert_eq!(world.joined(), [(2, Some(1)), (3, None)])).when_voided(2).then(|world| {
        assert_eq!(world.joined(), [(3, Some(1))]);
        assert_eq!(world.book().ring[0].features.get().rsi, Some(28.0));
        assert_eq!(world.book().ring[0].missed_signal, None);
        assert_eq!(world.book().joined, 1);
    });
    let by_decision = [signal(1).event(), trade(2).of_decision_on(1).event(), trade(3).of_decision_on(1).event()];
    given(by_decision).when_voided(2).then(|world| {
        assert_eq!(world.joined(), [(3, Some(1))]);
        assert_eq!(world.book().ring[0].signal.unwrap().joined_by, JoinedBy::Decision);
    });
}

#[test]
fn signals_joined_by_price_move_up_one_after_the_other() {
    given([
        signal(1).event(),
        signal(2).event(),
        signal(3).event(),
        trade(11).event(),
        trade(12).event(),
        trade(13).side(Side::Short).event(),
    ])
    .then(|world| assert_eq!(world.joined(), [(11, Some(3)), (12, Some(2)), (13, None)]))
    .when_voided(11)
    .then(|world| {
        assert_eq!(world.joined(), [(12, Some(3)), (13, None)]);
        assert_eq!(world.waiting(), [1, 2]);
    });
}

#[test]
fn outside_the_ring_counts_and_sums_are_reversed_and_flagged() {
    let params = FoldParams { book: BookRules::first(1, 4), ..FoldParams::default() };
    [trade(1).pnl(10.0), trade(2).pnl(-3.0)]
        .into_iter()
        .fold(World::with_params(params), World::when)
        .when_voided(1)
        .then(|world| {
            let book = world.book();
            assert_eq!((book.taken.trades, book.taken.wins, book.taken.pnl_e9), (1, 0, -3_000_000_000));
            assert_eq!((book.voided, book.voided_outside_ring), (1, 1));
            assert_eq!(world.joined(), [(2, None)]);
        });
}

#[test]
fn a_void_of_a_trade_that_never_took_effect_is_unusable() {
    given([signal(1)]).when(void_of(&trade(9), at(0))).then(|world| {
        assert_eq!(world.verdict(), Verdict::Rejected(Unusable::NothingToVoid));
        assert_eq!(world.book().voided, 0);
    });
    given([signal(1).rsi(101.0), signal(2)]).when(void_of(&trade(9), at(0))).then(|world| {
        assert_eq!(world.verdict(), Verdict::Rejected(Unusable::NothingToVoid), "no id was ever forgotten");
    });
    let params = FoldParams { admission: AdmissionParams { window_ids: 2 }, ..FoldParams::default() };
    let world = || (1..=4).map(signal).fold(World::with_params(params.clone()), World::when);
    world().when(void_of(&trade(9), at(2))).then(|world| {
        assert_eq!(world.verdict(), Verdict::Rejected(Unusable::NothingToVoid), "the window reaches back to there");
    });
    world().when(void_of(&trade(9), at(1))).then(|world| {
        assert_eq!(world.verdict(), Verdict::Fresh, "beyond the window the void is taken at its word");
        assert_eq!((world.book().taken.trades, world.book().voided_outside_ring), (0, 1), "but nothing underflows");
        assert_eq!((world.today().trades, world.today().pnl_e9), (0, 0));
    });
}

#[test]
fn wins_never_outnumber_trades() {
    let params = FoldParams {
        admission: AdmissionParams { window_ids: 1 },
        book: BookRules::first(1, 1),
        ..FoldParams::default()
    };
    let world = [trade(1), trade(2), trade(3)].into_iter().fold(World::with_params(params), World::when);
    let wrong_amount = |n| TradeVoided { trade_pnl_e9: crate::events::dollars(-1.0), ..void_of(&trade(n), at(0)) };
    world.when(wrong_amount(1)).when(wrong_amount(2)).then(|world| {
        assert_eq!((world.book().taken.trades, world.book().taken.wins), (1, 1));
        assert_eq!((world.today().trades, world.today().wins), (1, 1));
    });
}

/// The book without what tells of the void itself.
fn apart_from_the_void(book: &Book) -> Book {
    // A book of which nothing is left had no trade and no signal: then its fold never made it, nor its list of regimes.
    let regimes = book.regimes.clone().filter(|regimes| !regimes.is_empty());
    Book { applied: None, voided: 0, regimes, ..book.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Within bounds (nothing pushed out of the ring, no signal dropped), voiding equals never having had the trade:
    /// whatever later trades joined, by id or by price.
    #[test]
    fn voiding_equals_never_having_had_the_trade(
        history in steps(TOLD_AT_MOST),
        which in any::<prop::sample::Index>(),
        delay in 0..TOLD_AT_MOST,
        params in prop_oneof![Just(FoldParams::default()), Just(second_fold(256, 64))],
    ) {
        let trades: Vec<usize> = (0..history.len()).filter(|n| matches!(history[*n], Step::Trade { .. })).collect();
        prop_assume!(!trades.is_empty());
        let mistaken = trades[which.index(trades.len())];
        let mut voided = history.clone();
        let void_at = (mistaken + 1 + delay).min(history.len());
        voided.insert(void_at, Step::Void(mistaken));
        let mut without = voided.clone();
        without[mistaken] = Step::Nothing;
        without[void_at] = Step::Nothing;

        let voided = tell(World::with_params(params.clone()), &voided);
        let without = tell(World::with_params(params), &without);
        for (key, book) in &voided.memory.books {
            let expected = without.memory.books.get(key).map(apart_from_the_void).unwrap_or_default();
            prop_assert_eq!(&apart_from_the_void(book), &expected);
            prop_assert!(book.signals_dropped == 0, "the bounds were never reached");
        }
        for (key, day) in &voided.memory.activities {
            let expected = without.memory.activities.get(key).cloned().unwrap_or_default();
            prop_assert_eq!((day.signals, day.trades, day.wins), (expected.signals, expected.trades, expected.wins));
            prop_assert_eq!((day.simulated, day.pnl_e9), (expected.simulated, expected.pnl_e9));
        }
    }

    /// At the bounds counts and sums are still those without the trade, and the ring is short of its oldest trades.
    #[test]
    fn at_the_bounds_counts_and_sums_hold(
        history in steps(TOLD_AT_MOST),
        which in any::<prop::sample::Index>(),
        ring_trades in 1..5_u32,
        waiting_signals in 1..4_u32,
    ) {
        let trades: Vec<usize> = (0..history.len()).filter(|n| matches!(history[*n], Step::Trade { .. })).collect();
        prop_assume!(!trades.is_empty());
        let mistaken = trades[which.index(trades.len())];
        let mut voided = history.clone();
        voided.push(Step::Void(mistaken));
        let mut without = history;
        without[mistaken] = Step::Nothing;

        let params = FoldParams { book: BookRules::first(ring_trades, waiting_signals), ..FoldParams::default() };
        let voided = tell(World::with_params(params.clone()), &voided);
        let without = tell(World::with_params(params), &without);
        for (key, book) in &voided.memory.books {
            let expected = without.memory.books.get(key).cloned().unwrap_or_default();
            prop_assert_eq!((book.signals, book.taken, book.simulated), (expected.signals, expected.taken, expected.simulated));
            let trades = |book: &Book| book.ring.iter().map(|trade| trade.event_id).collect::<Vec<_>>();
            prop_assert!(trades(&expected).ends_with(&trades(book)));
            prop_assert!(book.waiting.len() <= waiting_signals as usize);
        }
    }
}
