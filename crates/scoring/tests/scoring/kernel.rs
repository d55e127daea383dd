//! The model `kernel`: what it says of books whose answer is known.

use hindcast_domain::{Features, Side};
use hindcast_fold::book::Book;
use hindcast_scoring::{PublishedModel, Score};

use crate::books::{book_of, features, low_rsi_wins};

fn score(book: &Book, signal: &Features) -> Score {
    let model = PublishedModel::default_kernel().runnable().unwrap();
    model.score(&model.prepare(book, None), signal)
}

#[test]
fn without_history_it_knows_nothing() {
    let score = score(&Book::default(), &features(Side::Long, 28.0, 0.13, 14.0));
    assert_eq!(score.confidence.to_bits(), 0.5_f64.to_bits());
    assert_eq!(score.novelty.to_bits(), 1.0_f64.to_bits());
    assert_eq!(score.experiences, 0);
    assert!(score.interval_low < 0.05 && score.interval_high > 0.95, "{score:?}");
}

/// One trade of the same features: weight 1, so (8 · base + 1) / 9 with base = (1 + 1) / (1 + 2).
#[test]
fn one_trade_by_hand() {
    let signal = features(Side::Long, 28.0, 0.13, 14.0);
    let score = score(&book_of(&[(signal, true)]), &signal);
    assert!((score.confidence - (8.0 * 2.0 / 3.0 + 1.0) / 9.0).abs() < 1e-15, "{score:?}");
    assert!((score.novelty - 8.0 / 9.0).abs() < 1e-15, "{score:?}");
    assert_eq!(score.experiences, 1);
}

/// Two trades that differ in RSI alone, 20 and 40, both longs at one hour: RSI is standardised by 10. Sides have the
/// deviation sqrt(1 - (2/4)²) but don't differ. The mean over RSI and side is taken.
#[test]
fn two_trades_by_hand() {
    let at = |rsi| Features {
        side: Side::Long,
        rsi: Some(rsi),
        vwap_distance_abs_percent: None,
        atr: None,
        volume_ratio: None,
        hour: 9.0,
        spread: None,
    };
    let score = score(&book_of(&[(at(20.0), true), (at(40.0), false)]), &at(25.0));
    let weight = |deviations: f64| (-(deviations * deviations) / 2.0 / (2.0 * 0.8 * 0.8)).exp();
    let (near, far) = (weight(0.5), weight(1.5));
    let expected = (8.0 * 0.5 + near) / (8.0 + near + far);
    assert!((score.confidence - expected).abs() < 1e-14, "{score:?} {expected}");
}

/// A spread counts as any other feature where both have one, and not at all where one of them has none.
#[test]
fn a_spread_counts_where_both_have_one() {
    let at = |spread| Features { spread, ..features(Side::Long, 28.0, 0.13, 14.0) };
    let kept = book_of(&[(at(Some(0.25)), true), (at(Some(0.75)), false)]);
    assert!(score(&kept, &at(Some(0.25))).confidence > score(&kept, &at(Some(0.75))).confidence);
    let not_kept = book_of(&[(at(None), true), (at(None), false)]);
    assert_eq!(score(&not_kept, &at(Some(0.25))), score(&not_kept, &at(None)));
}

#[test]
fn it_learns_what_tells_winners_from_losers() {
    let book = low_rsi_wins(250);
    let low = score(&book, &features(Side::Long, 20.0, 0.2, 12.0));
    let high = score(&book, &features(Side::Long, 80.0, 0.2, 12.0));
    assert!(low.confidence > 0.65, "{low:?}");
    assert!(high.confidence < 0.35, "{high:?}");
    assert!(low.interval_high - low.interval_low < 0.4, "{low:?}");
}

#[test]
fn novelty_rises_with_the_distance() {
    let book = low_rsi_wins(250);
    let usual = score(&book, &features(Side::Long, 50.0, 0.2, 12.0));
    let odd = score(&book, &features(Side::Long, 50.0, 9.0, 12.0));
    assert!(usual.novelty < 0.3, "{usual:?}");
    assert!(odd.novelty > 0.999, "{odd:?}");
    assert!((odd.confidence - 0.5).abs() < 0.02, "nothing is like it, so the book's win rate is left: {odd:?}");
}

#[test]
fn the_hour_goes_round() {
    let at = |hour| features(Side::Long, 50.0, 0.2, hour);
    let book = book_of(&[(at(0.0), true), (at(1.0), true), (at(11.0), false), (at(12.0), false)]);
    let before_midnight = score(&book, &at(23.0)).confidence;
    assert!(before_midnight > score(&book, &at(6.0)).confidence);
    assert_eq!(before_midnight.to_bits(), score(&book, &at(-1.0)).confidence.to_bits());

    // Turning the clock changes nothing but rounding.
    let turned = book_of(&[(at(7.0), true), (at(8.0), true), (at(18.0), false), (at(19.0), false)]);
    assert!((score(&turned, &at(6.0)).confidence - before_midnight).abs() < 1e-12);
}

#[test]
fn a_first_short_is_none_of_the_longs() {
    let longs: Vec<_> = (0..200).map(|i| (features(Side::Long, f64::from(i % 100), 0.2, 12.0), true)).collect();
    let book = book_of(&longs);
    assert!(score(&book, &features(Side::Long, 50.0, 0.2, 12.0)).novelty < 0.2);
    assert!(score(&book, &features(Side::Short, 50.0, 0.2, 12.0)).novelty > 0.99);
}

#[test]
fn missing_features_are_skipped() {
    let book = low_rsi_wins(250);
    let rsi_only = Features {
        vwap_distance_abs_percent: None,
        atr: None,
        volume_ratio: None,
        ..features(Side::Long, 20.0, 0.0, 12.0)
    };
    assert!(score(&book, &rsi_only).confidence > 0.65);
    let nothing = Features { rsi: None, ..rsi_only };
    assert!((score(&book, &nothing).confidence - 0.5).abs() < 0.05);

    // Trades without a feature count where they have others.
    let mut some = low_rsi_wins(250);
    for trade in some.ring.iter_mut().step_by(2) {
        trade.features = Features { atr: None, volume_ratio: None, ..trade.features.get() }.into();
    }
    assert!(score(&some, &features(Side::Long, 20.0, 0.2, 12.0)).confidence > 0.65);
}

#[test]
fn only_the_latest_trades_count_and_the_prior_is_of_all() {
    let mut book = low_rsi_wins(300);
    book.ring.iter_mut().take(44).for_each(|trade| {
        trade.features = Features { rsi: Some(1e9), ..trade.features.get() }.into();
    });
    let signal = features(Side::Long, 20.0, 0.2, 12.0);
    let with_old = score(&book, &signal);
    book.ring.drain(..44);
    assert_eq!(with_old, score(&book, &signal));
    assert_eq!(with_old.experiences, 256);
}

#[test]
fn simulated_trades_teach_as_well() {
    let mut book = low_rsi_wins(250);
    let taken = score(&book, &features(Side::Long, 20.0, 0.2, 12.0));
    std::mem::swap(&mut book.taken, &mut book.simulated);
    book.ring.iter_mut().for_each(|trade| trade.simulated = true);
    assert_eq!(taken, score(&book, &features(Side::Long, 20.0, 0.2, 12.0)));
}

#[test]
fn strategies_are_apart_but_share_the_prior() {
    let mut book = low_rsi_wins(250);
    book.ring.iter_mut().for_each(|trade| trade.pnl_e9.0 = 1);
    book.taken.wins = 250;
    let model = PublishedModel::default_kernel().runnable().unwrap();
    let unknown = model.score(&model.prepare(&book, Some("other")), &features(Side::Long, 20.0, 0.2, 12.0));
    assert_eq!(unknown.experiences, 0);
    assert_eq!(unknown.novelty.to_bits(), 1.0_f64.to_bits());
    assert!((unknown.confidence - 251.0 / 252.0).abs() < 1e-15, "{unknown:?}");
}
