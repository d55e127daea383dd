//! What holds for any book and any signal.

use hindcast_domain::{Features, Side};
use hindcast_scoring::PublishedModel;
use proptest::prelude::*;

use crate::books::{book_of, features, low_rsi_wins};

/// Any finite number, with those that break arithmetic more often than chance has them.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..100.0,
        1 => proptest::num::f64::ANY.prop_filter("finite", |x| x.is_finite()),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(5e-324)],
    ]
}

fn any_features() -> impl Strategy<Value = Features> {
    let maybe = || proptest::option::weighted(0.8, number());
    (any::<bool>(), maybe(), maybe(), maybe(), maybe(), number(), maybe()).prop_map(
        |(long, rsi, vwap_distance_abs_percent, atr, volume_ratio, hour, spread)| Features {
            side: if long { Side::Long } else { Side::Short },
            rsi,
            vwap_distance_abs_percent,
            atr,
            volume_ratio,
            hour,
            spread,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn scores_are_probabilities(
        trades in proptest::collection::vec((any_features(), any::<bool>()), 0..150),
        signal in any_features(),
    ) {
        let model = PublishedModel::default_kernel().runnable().unwrap();
        let book = book_of(&trades);
        let score = model.score(&model.prepare(&book, None), &signal);
        prop_assert!(0.0 <= score.interval_low, "{:?}", score);
        prop_assert!(score.interval_low <= score.confidence, "{:?}", score);
        prop_assert!(score.confidence <= score.interval_high, "{:?}", score);
        prop_assert!(score.interval_high <= 1.0, "{:?}", score);
        prop_assert!((0.0..=1.0).contains(&score.novelty), "{:?}", score);

        let again = model.score(&model.prepare(&book, None), &signal);
        prop_assert_eq!(score.confidence.to_bits(), again.confidence.to_bits());
        prop_assert_eq!(score.interval_low.to_bits(), again.interval_low.to_bits());
        prop_assert_eq!(score.interval_high.to_bits(), again.interval_high.to_bits());
        prop_assert_eq!(score.novelty.to_bits(), again.novelty.to_bits());
    }

    #[test]
    fn the_order_of_trades_means_nothing(rotation in 0_usize..250, rsi in 0.0..100.0, hour in 0.0..24.0) {
        let model = PublishedModel::default_kernel().runnable().unwrap();
        let signal = features(Side::Long, rsi, 0.2, hour);
        let mut book = low_rsi_wins(250);
        let ordered = model.score(&model.prepare(&book, None), &signal);
        book.ring.rotate_left(rotation);
        book.ring.make_contiguous().reverse();
        let shuffled = model.score(&model.prepare(&book, None), &signal);
        prop_assert!((ordered.confidence - shuffled.confidence).abs() < 1e-12);
        prop_assert!((ordered.novelty - shuffled.novelty).abs() < 1e-12);
    }

    #[test]
    fn counts_beyond_reason_are_no_trouble(wins in any::<u64>(), trades in any::<u64>(), rsi in 0.0..100.0) {
        let model = PublishedModel::default_kernel().runnable().unwrap();
        let mut book = low_rsi_wins(20);
        (book.taken.wins, book.taken.trades) = (wins, trades);
        let score = model.score(&model.prepare(&book, None), &features(Side::Long, rsi, 0.2, 1.0));
        prop_assert!(0.0 <= score.interval_low && score.interval_low <= score.confidence, "{:?}", score);
        prop_assert!(score.confidence <= score.interval_high && score.interval_high <= 1.0, "{:?}", score);
    }
}
