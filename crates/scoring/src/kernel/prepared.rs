//! Scoring one signal against prepared trades.

use hindcast_domain::Features;

use super::{
    columns::{BLOCK, Columns},
    params::KernelParams,
};
use crate::{beta::Beta, exponential::exp_of_non_positive, model::Score};

/// The win rate of the whole book and how sure it is: the Beta posterior of all its trades with even odds as prior.
#[derive(Debug, Clone, Copy)]
pub(super) struct BaseRate {
    mean: f64,
    variance: f64,
}

/// What [`super::Kernel`] prepares from a book.
#[derive(Debug, Clone)]
pub struct PreparedKernel {
    columns: Columns,
    /// 1 for a trade that won, else 0; in the order of the columns.
    wins: Vec<f64>,
    base: BaseRate,
    prior_weight: f64,
    /// -1 / (2 bandwidth²)
    exponent_scale: f64,
    interval_z: f64,
    experiences: u32,
}

impl BaseRate {
    #[allow(clippy::cast_precision_loss)] // counts of trades are far below 2^53
    pub(super) fn of(wins: u64, trades: u64, even_odds_weight: f64) -> Self {
        let weight = trades as f64 + even_odds_weight;
        let mean = (wins.min(trades) as f64 + even_odds_weight / 2.0) / weight;
        Self { mean, variance: mean * (1.0 - mean) / (weight + 1.0) }
    }
}

impl PreparedKernel {
    pub(super) fn new(params: &KernelParams, columns: Columns, wins: Vec<f64>, base: BaseRate) -> Self {
        Self {
            columns,
            base,
            prior_weight: params.prior_weight,
            exponent_scale: -1.0 / (2.0 * params.bandwidth * params.bandwidth),
            interval_z: params.interval_z,
            experiences: u32::try_from(wins.len()).unwrap_or(u32::MAX),
            wins,
        }
    }

    /// The score of a signal.
    #[must_use]
    pub fn score(&self, features: &Features) -> Score {
        let (weight, won) = self.weigh(features);
        let total = self.prior_weight + weight;
        let confidence = (self.prior_weight * self.base.mean + won) / total;
        let share_of_prior = self.prior_weight / total;
        let (interval_low, interval_high) = self.interval(confidence, total, share_of_prior);
        Score { confidence, interval_low, interval_high, novelty: share_of_prior, experiences: self.experiences }
    }

    /// Sum of the weights of all trades, and of those that won.
    fn weigh(&self, features: &Features) -> (f64, f64) {
        let signal = self.columns.standardise(features);
        let (mut weight, mut won) = (0.0, 0.0);
        for (block, wins) in self.wins.chunks(BLOCK).enumerate() {
            let mut similarities = self.columns.distances(&signal, block);
            for similarity in &mut similarities {
                *similarity = exp_of_non_positive(*similarity * self.exponent_scale);
            }
            for (similarity, win) in similarities.iter().zip(wins) {
                weight += similarity;
                won += similarity * win;
            }
        }
        (weight, won)
    }

    /// Given the book's win rate, the probability is Beta distributed with weight `total`; that rate is uncertain
    /// itself, which adds its share. The interval is that of the Beta distribution with this mean and variance.
    fn interval(&self, confidence: f64, total: f64, share_of_prior: f64) -> (f64, f64) {
        let of_base = share_of_prior * share_of_prior * self.base.variance;
        let binomial = confidence * (1.0 - confidence);
        let variance = (binomial - of_base) / (total + 1.0) + of_base;
        let (low, high) = Beta::with_moments(confidence, variance).interval(self.interval_z);
        // The mean of a skewed distribution may lie outside the middle of its mass.
        (low.min(confidence), high.max(confidence))
    }
}
