//! Published settings: what is written, digested and refused.

use hindcast_scoring::{
    PublishedModel, PublishedPolicy,
    published::{KernelParams, ModelParams, PolicyParams, ThresholdParams},
};

/// A digest that changes without a new version means that decisions on record no longer name what made them.
#[test]
fn digests_never_change() {
    let model = PublishedModel::default_kernel();
    assert_eq!(model.digest(), "98895b5c57dbbe9add99c90fe9cbdab25dec09a869ea4f773ceea8de6d83c2b3");
    assert_eq!(
        PublishedPolicy::default_threshold().digest(),
        "3e02fb0afca0df562786c092907bd3ba2b05aba79805b9d68777313c02f02066"
    );
    let other = PublishedModel { version: 2, ..model.clone() };
    assert_ne!(model.digest(), other.digest());
}

#[test]
fn json_and_back() {
    let model = PublishedModel::default_kernel();
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(
        json,
        r#"{"name":"kernel","version":1,"params":{"kind":"kernel","experiences":256,"bandwidth":0.8,"prior_weight":8.0,"even_odds_weight":2.0,"interval_z":1.645}}"#
    );
    assert_eq!(serde_json::from_str::<PublishedModel>(&json).unwrap(), model);
    let policy = PublishedPolicy::default_threshold();
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(
        json,
        r#"{"name":"threshold","version":1,"params":{"kind":"threshold","threshold":0.5,"exploration":0.0}}"#
    );
    assert_eq!(serde_json::from_str::<PublishedPolicy>(&json).unwrap(), policy);
}

/// A parameter that is unknown or missing would be ignored or guessed silently.
#[test]
fn other_parameters_are_refused() {
    for params in [
        r#"{"kind":"kernel","experiences":256,"bandwidth":0.8,"prior_weight":8.0,"even_odds_weight":2.0}"#,
        r#"{"kind":"kernel","experiences":256,"bandwidth":0.8,"prior_weight":8.0,"even_odds_weight":2.0,"interval_z":1.645,"new":1}"#,
        r#"{"kind":"linear"}"#,
    ] {
        let json = format!(r#"{{"name":"kernel","version":1,"params":{params}}}"#);
        assert!(serde_json::from_str::<PublishedModel>(&json).is_err(), "{json}");
    }
}

#[test]
fn parameters_out_of_range_are_not_run() {
    let refused = |change: fn(&mut KernelParams)| {
        let mut params = KernelParams::default();
        change(&mut params);
        let model = PublishedModel { params: ModelParams::Kernel(params), ..PublishedModel::default_kernel() };
        model.runnable().unwrap_err().to_string()
    };
    assert_eq!(refused(|p| p.bandwidth = 0.0), "bandwidth must lie between 0.01 and 100; it is 0");
    assert_eq!(refused(|p| p.experiences = 0), "experiences must lie between 1 and 65535; it is 0");
    assert_eq!(refused(|p| p.prior_weight = f64::NAN), "prior_weight must lie between 0.01 and 1000000; it is NaN");
    refused(|p| p.even_odds_weight = -1.0);
    refused(|p| p.interval_z = f64::INFINITY);
    for (threshold, exploration) in [(1.1, 0.0), (0.5, -0.1), (f64::NAN, 0.0)] {
        let params = PolicyParams::Threshold(ThresholdParams { threshold, exploration });
        assert!(PublishedPolicy { params, ..PublishedPolicy::default_threshold() }.runnable().is_err());
    }
}
