//! The walk-forward judgement, on the real history and on made ones.

use std::{fs::File, io::BufReader, path::Path};

use hindcast_domain::{Side, Symbol};
use hindcast_replay_tools::walk_forward::{
    Experience, NoJudgement, WalkForward, first_occurrences, judge, read_experiences, walk_forward,
};

fn real_history() -> Vec<Experience> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/es_experiences.jsonl");
    let file = File::open(&path).unwrap_or_else(|error| {
        panic!(
            "{} is needed: {error}. It holds 1,541 signals of QuoTradingbot/simple-bot (GitHub) with their outcome; \
             README.md beside it says what is in it",
            path.display()
        )
    });
    read_experiences(BufReader::new(file)).unwrap()
}

#[test]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
fn confidence_beats_the_base_rate_on_real_history() {
    let rows = real_history();
    assert_eq!((rows.len(), first_occurrences(&rows).len()), (1_541, 650));
    let report = walk_forward(&WalkForward::default(), &rows).unwrap();
    let unique = &report.first_occurrences;
    assert_eq!(unique.n, 550);
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 5e-5, "{value} {expected}");
    near(unique.brier, 0.2308);
    near(unique.base_brier, 0.2411);
    near(unique.gain, 0.0103);
    assert!(unique.gain_interval[0] > 0.0, "{unique:?}");
    assert!(unique.log_loss < unique.base_log_loss);
    assert_eq!(unique.reliability.iter().map(|bin| bin.n).sum::<usize>(), 550);
    // Twins come more than a ring apart: they teach nothing, and what they repeat is what was hard to foretell.
    assert_eq!(report.with_twins.n, 1_441);
    near(report.with_twins.base_brier, 0.2396);
}

#[test]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
fn the_same_figures_every_time() {
    let rows = real_history();
    let walk = WalkForward::default();
    assert_eq!(walk_forward(&walk, &rows), walk_forward(&walk, &rows));
}

/// Programs rely on these names.
#[test]
fn the_json_has_the_documented_names() {
    let walk = WalkForward { resamples: 10, ..WalkForward::default() };
    let json = serde_json::to_value(walk_forward(&walk, &made(150, |i| i % 2 == 0)).unwrap()).unwrap();
    let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let judgement = ["base_brier", "base_log_loss", "brier", "gain", "gain_interval", "log_loss", "n", "reliability"];
    let mut found = names(&json["with_twins"]);
    found.sort();
    assert_eq!(found, judgement);
    let mut found = names(&json);
    found.retain(|name| name != "with_twins");
    found.sort();
    assert_eq!(found, judgement);
    assert_eq!(json["gain_interval"].as_array().unwrap().len(), 2);
    let mut found = names(&json["reliability"][0]);
    found.sort();
    assert_eq!(found, ["hi", "lo", "mean_confidence", "n", "win_rate"]);
}

/// Rows that differ in RSI, with outcomes by row.
fn made(rows: usize, won: impl Fn(usize) -> bool) -> Vec<Experience> {
    (0..rows)
        .map(|i| Experience {
            symbol: Symbol::new("ES").unwrap(),
            side: Side::Long,
            entry_price: 6_500.0,
            rsi: (i * 37 % 100) as f64,
            vwap: 6_510.0,
            vwap_distance: -0.0015,
            atr: 1.0 + i as f64 / 1e6,
            volume_ratio: 1.0,
            hour: 10.0,
            took_trade: i % 3 != 0,
            pnl: if won(i) { 50.0 } else { -25.0 },
        })
        .collect()
}

#[test]
fn what_can_be_learned_is_learned_and_noise_is_not() {
    let walk = WalkForward::default();
    let lawful = judge(&walk, &made(400, |i| i * 37 % 100 < 50)).unwrap();
    assert!(lawful.gain_interval[0] > 0.05, "{lawful:?}");
    // A multiplicative hash, so that outcomes have nothing to do with features.
    let noise = judge(&walk, &made(400, |i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0)).unwrap();
    assert!(noise.gain_interval[0] < 0.0, "{noise:?}");
}

/// The first step must not know its own outcomes: with the rule turned round after the start, confidence is as wrong
/// as it can be.
#[test]
fn outcomes_are_learned_after_they_were_foretold() {
    let walk = WalkForward::default();
    let turned = judge(&walk, &made(150, |i| (i * 37 % 100 < 50) == (i < 100))).unwrap();
    assert!(turned.gain < -0.05, "{turned:?}");
}

#[test]
fn what_cannot_be_judged_says_why() {
    let walk = WalkForward::default();
    let rows = made(100, |_| true);
    assert_eq!(judge(&walk, &rows), Err(NoJudgement::TooShort { rows: 100, start: 100 }));
    assert_eq!(judge(&WalkForward { step: 0, ..walk.clone() }, &rows), Err(NoJudgement::Nothing));
    let mut impossible = made(101, |_| true);
    impossible[7].rsi = 101.0;
    assert!(matches!(judge(&walk, &impossible), Err(NoJudgement::Refused { row: 8, .. })));
}

#[test]
fn bad_lines_are_named() {
    let message = |text: &str| read_experiences(text.as_bytes()).unwrap_err().to_string();
    assert!(message("\n{}\n").starts_with("line 2 is no signal with its outcome: missing field"));
    let good = r#"{"symbol":"ES","signal":"LONG","entry_price":6524.25,"rsi":0.0,"vwap":6532.9,"vwap_distance":-0.0013,"atr":0.6,"volume_ratio":0.8,"hour":0,"took_trade":true,"pnl":133.5,"outcome":"WIN"}"#;
    assert_eq!(read_experiences(good.as_bytes()).unwrap().len(), 1);
    assert_eq!(
        message(&good.replace("6524.25", "1e300")),
        "line 1: entry_price must lie between -9223372036.854775808 and 9223372036.854775807"
    );
}
