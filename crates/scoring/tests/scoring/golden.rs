//! Bits that decisions on record rely on. If one of these changes, the formula needs a new kind, and the old one stays.

use hindcast_domain::{Features, Side};
use hindcast_scoring::{
    PublishedModel, PublishedPolicy,
    published::{PolicyParams, ThresholdParams},
};
use uuid::Uuid;

use crate::books::{features, low_rsi_wins};

#[test]
fn scores_keep_their_bits() {
    let model = PublishedModel::default_kernel().runnable().unwrap();
    let mut book = low_rsi_wins(250);
    book.ring.iter_mut().step_by(5).for_each(|trade| {
        trade.features = Features { atr: None, ..trade.features.get() }.into();
    });
    let prepared = model.prepare(&book, None);
    let bits = |rsi, distance, hour| {
        let score = model.score(&prepared, &features(Side::Long, rsi, distance, hour));
        [score.confidence, score.interval_low, score.interval_high, score.novelty].map(f64::to_bits)
    };
    assert_eq!(
        bits(28.0, 0.13, 14.0),
        [4_603_811_280_458_029_847, 4_603_062_154_149_057_787, 4_604_520_163_559_822_293, 4_590_649_715_224_206_978]
    );
    assert_eq!(
        bits(95.0, 0.6, 3.0),
        [4_598_991_084_231_208_158, 4_595_507_877_438_538_665, 4_601_526_900_031_055_184, 4_597_872_662_368_842_245]
    );
}

#[test]
fn draws_keep_their_outcome() {
    let params = PolicyParams::Threshold(ThresholdParams { threshold: 0.5, exploration: 0.6 });
    let policy = PublishedPolicy { params, ..PublishedPolicy::default_threshold() }.runnable().unwrap();
    let taken: String = (0..40)
        .map(|i| policy.decide(0.2, hindcast_domain::decision_id("trader-1", Uuid::from_u64_pair(7, i))))
        .map(|choice| if choice.propensity < 0.5 { 'x' } else { '.' })
        .collect();
    assert_eq!(taken, "xx.x...x.xx.x.x..........x...x.x.x..x...");
}
