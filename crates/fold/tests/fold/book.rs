//! What a book makes of signals and trades.

use hindcast_domain::Side;
use hindcast_fold::{
    book::{BookRules, JoinedBy, MAX_STRATEGIES, OTHER_STRATEGY},
    pipeline::FoldParams,
};

use crate::{
    events::{IntoEvent, SignalSays, TradeSays, dollars, id, signal, trade},
    world::{World, given, given_nothing},
};

fn joined_by(world: &World) -> Option<JoinedBy> {
    world.book().ring.back().and_then(|trade| trade.signal).map(|signal| signal.joined_by)
}

#[test]
fn a_trade_joins_by_decision_before_all_else() {
    given([signal(1), signal(2), signal(3)]).when(trade(9).of_decision_on(1).of_signal(2)).then(|world| {
        assert_eq!(joined_by(world), Some(JoinedBy::Decision));
        assert_eq!(world.joined(), [(9, Some(1))]);
        assert_eq!(world.waiting(), [2, 3]);
    });
}

#[test]
fn a_trade_joins_by_signal_id_before_price() {
    given([signal(1).price(1.0), signal(2)]).when(trade(9).of_decision_on(77).of_signal(1)).then(|world| {
        assert_eq!(joined_by(world), Some(JoinedBy::SignalId));
        assert_eq!(world.joined(), [(9, Some(1))]);
        assert_eq!(world.book().ring[0].missed_decision, crate::events::decision_on(77));
    });
}

#[test]
fn a_trade_that_names_both_joins_by_decision() {
    given([signal(1), signal(2)]).when(trade(9).of_decision_on(1).of_signal(1)).then(|world| {
        assert_eq!(joined_by(world), Some(JoinedBy::Decision));
        assert_eq!(world.joined(), [(9, Some(1))]);
    });
}

#[test]
fn a_trade_joins_the_newest_signal_of_its_side_strategy_and_price() {
    given([
        signal(1).strategy("a"),
        signal(2).strategy("a"),
        signal(3).strategy("a").price(6_500.25),
        signal(4).strategy("b"),
        signal(5),
        signal(6).strategy("a").side(Side::Short),
    ])
    .when(trade(9).strategy("a"))
    .then(|world| {
        assert_eq!(joined_by(world), Some(JoinedBy::Price));
        assert_eq!(world.joined(), [(9, Some(2))]);
        assert_eq!(world.waiting(), [1, 3, 4, 5, 6]);
    })
    .when(trade(10))
    .then(|world| assert_eq!(world.joined(), [(9, Some(2)), (10, Some(5))]));
}

#[test]
fn a_trade_without_a_signal_stands_on_its_own_entry() {
    let mut alone = trade(9).entered_at(6_513.0);
    alone.entry_vwap_e9 = Some(dollars(6_526.0));
    alone.entry_rsi = Some(31.0);
    given([signal(1)]).when(alone).then(|world| {
        assert_eq!(world.joined(), [(9, None)]);
        assert_eq!(world.book().joined, 0);
        let features = world.book().ring[0].features.get();
        assert_eq!((features.rsi, features.atr, features.hour), (Some(31.0), None, 14.0));
        let distance = features.vwap_distance_abs_percent.unwrap();
        assert!((distance - 0.199_203_187).abs() < 1e-9, "{distance}");
    });
}

#[test]
fn a_joined_trade_has_the_features_and_the_strategy_of_its_signal() {
    given([signal(1).strategy("a").rsi(11.0)]).when(trade(9).of_signal(1)).then(|world| {
        let closed = &world.book().ring[0];
        assert_eq!(closed.features.get().rsi, Some(11.0));
        assert_eq!(closed.strategy.and_then(|index| world.book().strategies.name(index)), Some("a"));
        assert_eq!(closed.own_strategy, None);
        assert_eq!(world.book().trades_of(Some("a")).count(), 1);
        assert_eq!(world.book().trades_of(None).count(), 0);
        assert_eq!(world.book().trades_of(Some("b")).count(), 0);
    });
}

#[test]
fn a_signal_is_joined_once() {
    given([signal(1).event(), trade(9).of_signal(1).event()]).when(trade(10).of_signal(1)).then(|world| {
        assert_eq!(world.joined(), [(9, Some(1)), (10, None)]);
        assert_eq!(world.book().ring[1].missed_signal, Some(id(1)));
    });
}

#[test]
fn the_oldest_waiting_signal_is_dropped_and_counted() {
    let world = (0..70).map(signal).fold(given_nothing(), World::when);
    assert_eq!(world.waiting(), (6..70).collect::<Vec<_>>());
    assert_eq!((world.book().signals, world.book().signals_dropped), (70, 6));
}

#[test]
fn the_ring_keeps_the_latest_trades_and_the_totals_keep_all() {
    let params = FoldParams { book: BookRules::first(3, 2), ..FoldParams::default() };
    let world = (1..=5).map(|n| trade(n).strategy("a")).fold(World::with_params(params), World::when);
    assert_eq!(world.joined(), [(3, None), (4, None), (5, None)]);
    assert_eq!((world.book().taken.trades, world.book().taken.wins), (5, 5));
    assert_eq!(world.book().taken.pnl_e9, 250_000_000_000);
}

#[test]
fn simulated_trades_teach_but_are_not_money() {
    given([trade(1).pnl(10.0), trade(2).simulated().pnl(-99.0), trade(3).pnl(20.0)]).then(|world| {
        let book = world.book();
        assert_eq!(book.ring.len(), 3);
        assert_eq!((book.taken.trades, book.taken.wins, book.taken.pnl_e9), (2, 2, 30_000_000_000));
        assert_eq!((book.simulated.trades, book.simulated.wins, book.simulated.pnl_e9), (1, 0, -99_000_000_000));
        assert_eq!((book.streak(), book.recent_pnl_e9(), book.win_rate()), (2, 30_000_000_000, Some(1.0)));
    });
}

#[test]
fn streak_and_recent_pnl_look_at_the_latest_trades_taken() {
    let pnls = [5.0, -1.0, 2.0, 3.0, -4.0, 0.0, -6.0];
    let world = (1..).zip(pnls).map(|(n, pnl)| trade(n).pnl(pnl)).fold(given_nothing(), World::when);
    assert_eq!(world.book().streak(), -3, "nothing won is nothing");
    assert_eq!(world.book().recent_pnl_e9(), -5_000_000_000);
    assert_eq!(hindcast_fold::book::Book::default().streak(), 0);
    assert_eq!(hindcast_fold::book::Book::default().win_rate(), None);
}

#[test]
fn sums_are_exact_beyond_64_bits() {
    let mut huge = trade(1);
    huge.pnl_e9.0 = i64::MAX;
    let world = (1..=4).map(|n| hindcast_schemas::events::TradeClosed { event_id: id(n), ..huge.clone() });
    let world = world.fold(given_nothing(), World::when);
    assert_eq!(world.book().taken.pnl_e9, i128::from(i64::MAX) * 4);
}

#[test]
fn names_of_strategies_stay_sorted_and_go_with_their_last_use() {
    let params = FoldParams { book: BookRules::first(2, 2), ..FoldParams::default() };
    let names = |world: &World| world.book().strategies.iter().map(str::to_owned).collect::<Vec<_>>();
    World::with_params(params)
        .when(signal(1).strategy("m").price(1.0))
        .when(trade(2).strategy("z"))
        .when(signal(3).strategy("a").price(3.0))
        .then(|world| {
            assert_eq!(names(world), ["a", "m", "z"]);
            assert_eq!(world.book().ring[0].strategy, Some(2));
        })
        .when(signal(4).price(4.0))
        .then(|world| {
            assert_eq!(names(world), ["a", "z"], "the signal of m was dropped");
            assert_eq!(world.book().ring[0].strategy, Some(1));
            assert_eq!(world.book().waiting[0].strategy, Some(0));
        })
        .when(trade(5))
        .when(trade(6))
        .then(|world| assert_eq!(names(world), ["a"], "the trade of z left the ring"));
}

#[test]
fn strategies_beyond_the_bound_share_one_index_and_do_not_join_by_price() {
    let names: Vec<&'static str> =
        (0..=MAX_STRATEGIES).map(|n| &*Box::leak(format!("bot-{n:03}").into_boxed_str())).collect();
    let params = FoldParams { book: BookRules::first(100, 100), ..FoldParams::default() };
    let world =
        (1..).zip(&names).map(|(n, name)| signal(n).strategy(name)).fold(World::with_params(params), World::when);
    assert_eq!(world.book().strategies.iter().len(), MAX_STRATEGIES);
    assert_eq!(world.book().waiting[MAX_STRATEGIES].strategy, Some(OTHER_STRATEGY));
    assert_eq!(world.book().strategies.name(OTHER_STRATEGY), None);
    let (known, other) = (names[0], names[MAX_STRATEGIES]);
    world
        .when(trade(200).strategy(other))
        .then(|world| assert_eq!(world.joined(), [(200, None)]))
        .when(trade(201).strategy(other).of_signal(65))
        .when(trade(202).strategy(known))
        .then(|world| assert_eq!(world.joined(), [(200, None), (201, Some(65)), (202, Some(1))]));
}
