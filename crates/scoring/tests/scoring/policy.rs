//! The policy `threshold`.

use hindcast_schemas::Action;
use hindcast_scoring::{
    Policy,
    published::{PolicyParams, PublishedPolicy, ThresholdParams},
};
use uuid::Uuid;

fn policy(threshold: f64, exploration: f64) -> Policy {
    let params = PolicyParams::Threshold(ThresholdParams { threshold, exploration });
    PublishedPolicy { params, ..PublishedPolicy::default_threshold() }.runnable().unwrap()
}

fn ids(count: u64) -> impl Iterator<Item = Uuid> {
    (0..count).map(|i| hindcast_domain::decision_id("trader-1", Uuid::from_u64_pair(1, i)))
}

#[test]
fn takes_at_or_above_the_threshold() {
    let id = ids(1).next().unwrap();
    let policy = policy(0.5, 0.0);
    for (confidence, action) in [
        (0.5, Action::Take),
        (0.5_f64.next_down(), Action::Skip),
        (1.0, Action::Take),
        (0.0, Action::Skip),
        (f64::NAN, Action::Skip),
    ] {
        let choice = policy.decide(confidence, id);
        assert_eq!((choice.action, choice.propensity.to_bits()), (action, 1.0_f64.to_bits()), "{confidence}");
    }
}

#[test]
fn explores_as_often_as_its_propensity_says() {
    let policy = policy(0.5, 0.2);
    let mut skipped = 0;
    for id in ids(20_000) {
        let choice = policy.decide(0.8, id);
        assert_eq!(choice, policy.decide(0.8, id), "the id decides");
        let expected: f64 = if choice.action == Action::Take { 0.9 } else { 0.1 };
        assert!((choice.propensity - expected).abs() < 1e-15);
        skipped += u32::from(choice.action == Action::Skip);
    }
    // 2,000 expected, a standard deviation of 42.
    assert!((1_830..2_170).contains(&skipped), "{skipped}");
}

#[test]
fn all_exploration_is_a_fair_coin() {
    let policy = policy(0.5, 1.0);
    let taken = ids(10_000).filter(|id| policy.decide(0.0, *id).action == Action::Take).count();
    assert!((4_800..5_200).contains(&taken), "{taken}");
    assert!(ids(10).all(|id| policy.decide(0.0, id).propensity.to_bits() == 0.5_f64.to_bits()));
}

/// Inverse propensities estimate what a policy that takes everything would have earned.
#[test]
fn propensities_weigh_back() {
    let policy = policy(0.5, 0.5);
    let n = 40_000;
    let estimate: f64 = ids(n)
        .map(|id| policy.decide(0.3, id))
        .filter(|choice| choice.action == Action::Take)
        .map(|choice| 7.0 / choice.propensity)
        .sum::<f64>()
        / n as f64;
    assert!((estimate - 7.0).abs() < 0.2, "{estimate}");
}
