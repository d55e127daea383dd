//! How well probabilities foretold outcomes.

use serde::Serialize;

use super::{WalkForward, bootstrap};

/// Bins of the reliability table.
const BINS: u32 = 10;
/// Probabilities are kept this far from 0 and 1 before their logarithm is taken: a base rate can be 0 or 1.
const LEAST_PROBABILITY: f64 = 1e-12;

/// One probability and what happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foretold {
    pub(super) confidence: f64,
    pub(super) base_rate: f64,
    pub(super) won: bool,
}

/// How well confidence foretold outcomes, beside the base rate. Scores are means; smaller is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// Signals scored.
    pub n: usize,
    /// Mean of (confidence - outcome)² (Brier 1950).
    pub brier: f64,
    /// Mean of -ln of the probability given to what happened.
    pub log_loss: f64,
    /// The Brier score of the base rate.
    pub base_brier: f64,
    /// The log loss of the base rate.
    pub base_log_loss: f64,
    /// `base_brier` - `brier`: positive when confidence knows more than the base rate.
    pub gain: f64,
    /// The middle 95 % of the gains of the block bootstrap.
    pub gain_interval: [f64; 2],
    /// How often signals of about one confidence won; bins without signals are left out.
    pub reliability: Vec<Bin>,
}

/// Signals whose confidence lies within `lo..hi`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// Lower bound of the confidence, inclusive.
    pub lo: f64,
    /// Upper bound, exclusive but for 1.
    pub hi: f64,
    /// Signals.
    pub n: usize,
    /// Mean of their confidence.
    pub mean_confidence: f64,
    /// Share of them that won.
    pub win_rate: f64,
}

impl Judgement {
    pub(super) fn of(foretold: &[Foretold], walk: &WalkForward) -> Self {
        let brier = |p: f64, won: bool| (p - outcome(won)) * (p - outcome(won));
        let gains: Vec<f64> = foretold.iter().map(|f| brier(f.base_rate, f.won) - brier(f.confidence, f.won)).collect();
        let mean_of = |of: &dyn Fn(&Foretold) -> f64| mean(foretold.iter().map(of));
        Self {
            n: foretold.len(),
            brier: mean_of(&|f| brier(f.confidence, f.won)),
            log_loss: mean_of(&|f| log_loss(f.confidence, f.won)),
            base_brier: mean_of(&|f| brier(f.base_rate, f.won)),
            base_log_loss: mean_of(&|f| log_loss(f.base_rate, f.won)),
            gain: mean(gains.iter().copied()),
            gain_interval: bootstrap::interval_of_mean(&gains, walk.block, walk.resamples, walk.seed),
            reliability: (0..BINS).filter_map(|bin| reliability(foretold, bin)).collect(),
        }
    }
}

fn outcome(won: bool) -> f64 {
    if won { 1.0 } else { 0.0 }
}

fn log_loss(probability: f64, won: bool) -> f64 {
    let of_outcome = if won { probability } else { 1.0 - probability };
    -of_outcome.max(LEAST_PROBABILITY).ln()
}

#[allow(clippy::cast_precision_loss)] // counts are far below 2^53
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn reliability(foretold: &[Foretold], bin: u32) -> Option<Bin> {
    let (lo, hi) = (f64::from(bin) / f64::from(BINS), f64::from(bin + 1) / f64::from(BINS));
    let is_last = bin + 1 == BINS;
    let within = |f: &&Foretold| lo <= f.confidence && (f.confidence < hi || is_last);
    let members: Vec<&Foretold> = foretold.iter().filter(within).collect();
    (!members.is_empty()).then(|| Bin {
        lo,
        hi,
        n: members.len(),
        mean_confidence: mean(members.iter().map(|f| f.confidence)),
        win_rate: mean(members.iter().map(|f| outcome(f.won))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foretold(confidence: f64, base_rate: f64, won: bool) -> Foretold {
        Foretold { confidence, base_rate, won }
    }

    #[test]
    fn scores_by_hand() {
        let judged = Judgement::of(
            &[foretold(0.8, 0.5, true), foretold(0.4, 0.5, false), foretold(1.0, 1.0, true)],
            &WalkForward::default(),
        );
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(judged.brier, (0.04 + 0.16) / 3.0);
        close(judged.base_brier, 0.5 / 3.0);
        close(judged.gain, 0.3 / 3.0);
        close(judged.log_loss, -(0.8_f64.ln() + 0.6_f64.ln()) / 3.0);
        close(judged.base_log_loss, -2.0 * 0.5_f64.ln() / 3.0);
        let bins: Vec<_> = judged.reliability.iter().map(|bin| (bin.lo, bin.n, bin.win_rate)).collect();
        assert_eq!(bins, [(0.4, 1, 0.0), (0.8, 1, 1.0), (0.9, 1, 1.0)]);
    }

    #[test]
    fn what_never_happened_before_costs_a_finite_amount() {
        assert!(log_loss(0.0, true).is_finite() && log_loss(1.0, false).is_finite());
    }
}
