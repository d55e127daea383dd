//! How trades turned out by the part of the day and the volatility that they were entered in.

use hindcast_domain::TimestampUs;
use hindcast_fold::book::{Book, Volatility};
use hindcast_schemas::events::{SignalReceived, TradeClosed};

use crate::{
    events::{NOON_ISH, TradeSays, signal, trade},
    world::{World, second_fold},
};

/// By day part of ES (open, midday, close, evening, overnight) and volatility: trades taken, wins, trades on paper.
fn regimes(book: &Book) -> Vec<(usize, Volatility, [u64; 3])> {
    let regimes = book.regimes.as_ref().expect("a book with regimes").iter();
    let counts =
        |totals: &hindcast_fold::book::RegimeTotals| [totals.taken.trades, totals.taken.wins, totals.simulated.trades];
    regimes.map(|totals| (totals.regime.day_part(), totals.regime.volatility(), counts(totals))).collect()
}

/// A signal some hours after noon in UTC.
fn later(number: u128, hours: i64, atr: f64) -> SignalReceived<'static> {
    let occurred_at =
        TimestampUs(NOON_ISH.0.div_euclid(86_400_000_000) * 86_400_000_000 + (12 + hours) * 3_600_000_000);
    SignalReceived { occurred_at, atr: Some(atr), ..signal(number) }
}

fn world() -> World {
    World::with_params(second_fold(2, 8))
}

const OPEN: usize = 0;
const OVERNIGHT: usize = 4;

#[test]
fn a_trade_counts_under_the_regime_of_its_signal() {
    world()
        .when(later(1, 3, 0.1))
        .when(later(2, 3, 5.0))
        .when(later(3, 0, 1.0))
        .when(trade(11).of_signal(1))
        .when(trade(12).of_signal(2).pnl(-1.0))
        .when(trade(13).of_signal(3).simulated())
        .then(|world| {
            let expected = [
                (OPEN, Volatility::Low, [1, 1, 0]),
                (OPEN, Volatility::High, [1, 0, 0]),
                (OVERNIGHT, Volatility::Middle, [0, 0, 1]),
            ];
            assert_eq!(regimes(world.book()), expected, "the ring holds two of them, the regimes all");
        });
}

#[test]
fn a_trade_without_signal_counts_at_its_own_entry() {
    let entered = TradeClosed { entry_time: Some(later(0, 3, 0.0).occurred_at), ..trade(9) };
    world().when(entered).then(|world| assert_eq!(regimes(world.book()), [(OPEN, Volatility::Unknown, [1, 1, 0])]));
}

#[test]
fn a_voided_trade_hands_its_signal_on_with_its_regime() {
    // The second report of the trade joined nothing; the first one is voided.
    world()
        .when(later(1, 3, 0.1))
        .when(trade(11).of_signal(1))
        .when(trade(12).of_signal(1).pnl(-2.0))
        .then(|world| assert_eq!(regimes(world.book()).len(), 2))
        .when_voided(11)
        .then(|world| assert_eq!(regimes(world.book()), [(OPEN, Volatility::Low, [1, 0, 0])]));
}

#[test]
fn a_trade_voided_outside_the_ring_stays_under_its_regime() {
    let world = world().when(later(1, 3, 0.1)).when(trade(11).of_signal(1)).when(trade(12)).when(trade(13));
    world.when_voided(11).then(|world| {
        assert_eq!((world.book().taken.trades, world.book().voided_outside_ring), (2, 1));
        assert_eq!(regimes(world.book())[0], (OPEN, Volatility::Low, [1, 1, 0]));
    });
}

#[test]
fn version_1_has_no_regimes_and_no_spread() {
    let told = SignalReceived { spread: Some(0.25), ..signal(1) };
    World::default().when(told.clone()).when(trade(2).of_signal(1)).then(|world| {
        assert_eq!((&world.book().regimes, world.book().ring[0].features.get().spread), (&None, None));
    });
    world().when(told).when(trade(2).of_signal(1)).then(|world| {
        assert_eq!(world.book().ring[0].features.get().spread, Some(0.25));
    });
}
