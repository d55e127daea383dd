//! How well confidence foretold the outcome.

use hindcast_replay_tools::walk_forward::Bin;
use serde::Serialize;

/// One signal whose outcome is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Confidence that was served.
    pub confidence: f64,
    /// Share of wins among the outcomes known when it was served: what anybody could have said without a model.
    pub base_rate: f64,
    /// Whether it won.
    pub won: bool,
}

/// The running base rate of one user and symbol.
#[derive(Debug, Clone, Copy, Default)]
pub struct BaseRate {
    trades: u32,
    wins: u32,
}

impl BaseRate {
    /// Share of wins so far, with one win and one loss more, so that it is a half at the beginning and never sure.
    #[must_use]
    pub fn value(&self) -> f64 {
        (f64::from(self.wins) + 1.0) / (f64::from(self.trades) + 2.0)
    }

    /// Counts an outcome.
    pub fn push(&mut self, won: bool) {
        self.trades = self.trades.saturating_add(1);
        self.wins = self.wins.saturating_add(u32::from(won));
    }
}

/// The mean squared error of probabilities, 0 for a perfect oracle, 0.25 for a constant half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Brier {
    /// Signals with a known outcome.
    pub n: usize,
    /// Of the confidences.
    pub brier: f64,
    /// Of the base rates.
    pub base_brier: f64,
    /// How much less the confidences erred.
    pub gain: f64,
}

impl Brier {
    /// Of forecasts; `None` without any.
    #[must_use]
    pub fn of<'f>(forecasts: impl IntoIterator<Item = &'f Forecast>) -> Option<Self> {
        let (mut n, mut brier, mut base_brier) = (0_usize, 0.0, 0.0);
        for forecast in forecasts {
            let outcome = if forecast.won { 1.0 } else { 0.0 };
            n += 1;
            brier += (forecast.confidence - outcome) * (forecast.confidence - outcome);
            base_brier += (forecast.base_rate - outcome) * (forecast.base_rate - outcome);
        }
        if n == 0 {
            return None;
        }
        #[allow(clippy::cast_precision_loss)] // no list has 2^53 items
        let count = n as f64;
        let (brier, base_brier) = (brier / count, base_brier / count);
        Some(Self { n, brier, base_brier, gain: base_brier - brier })
    }
}

/// Ten bins of equal width; those without a forecast are left out.
#[must_use]
#[allow(clippy::cast_precision_loss)] // no list has 2^53 items
pub fn bins(forecasts: &[Forecast]) -> Vec<Bin> {
    (0_u8..10)
        .filter_map(|tenth| {
            let within = |confidence: f64| {
                let place = confidence * 10.0;
                place >= f64::from(tenth) && (place < f64::from(tenth) + 1.0 || tenth == 9)
            };
            let members: Vec<_> = forecasts.iter().filter(|forecast| within(forecast.confidence)).collect();
            if members.is_empty() {
                return None;
            }
            let count = members.len() as f64;
            Some(Bin {
                lo: f64::from(tenth) / 10.0,
                hi: f64::from(tenth + 1) / 10.0,
                n: members.len(),
                mean_confidence: members.iter().map(|forecast| forecast.confidence).sum::<f64>() / count,
                win_rate: members.iter().filter(|forecast| forecast.won).count() as f64 / count,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(confidence: f64, won: bool) -> Forecast {
        Forecast { confidence, base_rate: 0.5, won }
    }

    #[test]
    fn the_base_rate_is_a_half_at_the_beginning() {
        let mut base = BaseRate::default();
        assert_eq!(base.value(), 0.5);
        base.push(true);
        assert_eq!(base.value(), 2.0 / 3.0);
        base.push(false);
        assert_eq!(base.value(), 0.5);
    }

    #[test]
    fn brier_by_hand() {
        assert_eq!(Brier::of(&[]), None);
        let judged = Brier::of(&[forecast(1.0, true), forecast(0.5, false)]).unwrap();
        assert_eq!(judged, Brier { n: 2, brier: 0.125, base_brier: 0.25, gain: 0.125 });
    }

    #[test]
    fn every_confidence_has_one_bin() {
        let all: Vec<_> = (0..=1000).map(|n| forecast(f64::from(n) / 1000.0, n % 2 == 0)).collect();
        let bins = bins(&all);
        assert_eq!(bins.len(), 10);
        assert_eq!(bins.iter().map(|bin| bin.n).sum::<usize>(), 1001);
        assert_eq!(bins.last().map(|bin| (bin.lo, bin.hi, bin.n)), Some((0.9, 1.0, 101)));
    }
}
