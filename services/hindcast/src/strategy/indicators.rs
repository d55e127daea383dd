//! The indicators a VWAP/RSI strategy looks at, each fed bar by bar.

use std::collections::VecDeque;

use crate::market::Bar;

/// Volume-weighted average price since the session began: sum of typical price times volume, by the sum of volume.
#[derive(Debug, Clone, Default)]
pub struct SessionVwap {
    volume: f64,
    turnover: f64,
}

impl SessionVwap {
    /// Takes the next bar in.
    #[allow(clippy::cast_precision_loss)] // no bar has 2^53 contracts
    pub fn push(&mut self, bar: &Bar) {
        let volume = bar.volume as f64;
        self.volume += volume;
        self.turnover += volume * bar.typical();
    }

    /// The average; `None` while nothing was traded.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        (self.volume > 0.0).then(|| self.turnover / self.volume)
    }
}

/// An average as Wilder takes it: a plain mean of the first `period` values, then each new one counts `1 / period`.
#[derive(Debug, Clone)]
struct WilderAverage {
    period: f64,
    count: f64,
    value: f64,
}

impl WilderAverage {
    fn new(period: u16) -> Self {
        Self { period: f64::from(period.max(1)), count: 0.0, value: 0.0 }
    }

    fn push(&mut self, value: f64) {
        self.count = (self.count + 1.0).min(self.period);
        self.value += (value - self.value) / self.count;
    }

    fn value(&self) -> Option<f64> {
        (self.count >= self.period).then_some(self.value)
    }
}

/// Relative strength index (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978): 100 times the average
/// gain, by the sum of average gain and average loss.
#[derive(Debug, Clone)]
pub struct Rsi {
    gain: WilderAverage,
    loss: WilderAverage,
    last: Option<f64>,
}

impl Rsi {
    /// Over so many changes of price.
    #[must_use]
    pub fn new(period: u16) -> Self {
        Self { gain: WilderAverage::new(period), loss: WilderAverage::new(period), last: None }
    }

    /// Takes the next closing price in.
    pub fn push(&mut self, close: f64) {
        if let Some(last) = self.last.replace(close) {
            let change = close - last;
            self.gain.push(change.max(0.0));
            self.loss.push((-change).max(0.0));
        }
    }

    /// The index, 0 to 100, once there were enough changes. A price that did not move at all is neither strong nor
    /// weak: 50.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let (gain, loss) = (self.gain.value()?, self.loss.value()?);
        let sum = gain + loss;
        Some(if sum > 0.0 { 100.0 * gain / sum } else { 50.0 })
    }
}

/// Average true range (Wilder, as above): the average of the widest of high to low, high to last close, last close to
/// low.
#[derive(Debug, Clone)]
pub struct Atr {
    average: WilderAverage,
    last_close: Option<f64>,
}

impl Atr {
    /// Over so many bars.
    #[must_use]
    pub fn new(period: u16) -> Self {
        Self { average: WilderAverage::new(period), last_close: None }
    }

    /// Takes the next bar in.
    pub fn push(&mut self, bar: &Bar) {
        let (high, low) = (bar.high_e9.to_f64(), bar.low_e9.to_f64());
        let last = self.last_close.replace(bar.close_e9.to_f64());
        let range = last.map_or(high - low, |last| high.max(last) - low.min(last));
        self.average.push(range);
    }

    /// The average range in points, once there were enough bars.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.average.value()
    }
}

/// Volume of the latest bar as a multiple of the mean of the bars before it.
#[derive(Debug, Clone)]
pub struct VolumeRatio {
    period: usize,
    before: VecDeque<u64>,
    sum: u64,
    latest: Option<u64>,
}

impl VolumeRatio {
    /// Against so many bars.
    #[must_use]
    pub fn new(period: u16) -> Self {
        let period = usize::from(period.max(1));
        Self { period, before: VecDeque::with_capacity(period + 1), sum: 0, latest: None }
    }

    /// Takes the volume of the next bar in.
    pub fn push(&mut self, volume: u64) {
        if let Some(previous) = self.latest.replace(volume) {
            self.before.push_back(previous);
            self.sum = self.sum.saturating_add(previous);
            if self.before.len() > self.period {
                self.sum = self.sum.saturating_sub(self.before.pop_front().unwrap_or_default());
            }
        }
    }

    /// The multiple, once there were enough bars with something traded.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // no bar has 2^53 contracts
    pub fn value(&self) -> Option<f64> {
        let full = self.before.len() == self.period && self.sum > 0;
        full.then(|| self.latest.map(|latest| latest as f64 * self.period as f64 / self.sum as f64)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::{MoneyE9, TimestampUs};

    use super::*;

    fn bar(high: f64, low: f64, close: f64, volume: u64) -> Bar {
        let price = |value| MoneyE9::from_f64(value).unwrap();
        Bar {
            begins_at: TimestampUs(0),
            open_e9: price(low),
            high_e9: price(high),
            low_e9: price(low),
            close_e9: price(close),
            volume,
        }
    }

    #[test]
    fn rsi_of_the_usual_worked_example() {
        // The closing prices and the 14-period index of StockCharts' worked example (ChartSchool, "Relative Strength
        // Index"), which follows Wilder.
        let closes = [
            44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328,
            45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122,
        ];
        let expected = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93];
        let mut rsi = Rsi::new(14);
        let values: Vec<_> = closes
            .iter()
            .filter_map(|&close| {
                rsi.push(close);
                rsi.value()
            })
            .collect();
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 0.01, "{value} is not {expected}");
        }
    }

    #[test]
    fn rsi_at_its_ends() {
        let after = |closes: &[f64]| {
            let mut rsi = Rsi::new(2);
            closes.iter().for_each(|&close| rsi.push(close));
            rsi.value()
        };
        assert_eq!(after(&[1.0, 2.0]), None);
        assert_eq!(after(&[1.0, 2.0, 3.0]), Some(100.0));
        assert_eq!(after(&[3.0, 2.0, 1.0]), Some(0.0));
        assert_eq!(after(&[1.0, 1.0, 1.0]), Some(50.0));
    }

    #[test]
    fn atr_counts_gaps() {
        let mut atr = Atr::new(2);
        atr.push(&bar(10.0, 8.0, 9.0, 1));
        assert_eq!(atr.value(), None);
        atr.push(&bar(13.0, 12.0, 12.5, 1)); // 13 to the last close of 9
        assert_eq!(atr.value(), Some(3.0));
        atr.push(&bar(12.0, 11.0, 11.5, 1)); // last close of 12.5 to 11
        assert_eq!(atr.value(), Some(2.25));
    }

    #[test]
    fn vwap_weighs_by_volume() {
        let mut vwap = SessionVwap::default();
        assert_eq!(vwap.value(), None);
        vwap.push(&bar(11.0, 9.0, 10.0, 1));
        vwap.push(&bar(21.0, 19.0, 20.0, 3));
        assert_eq!(vwap.value(), Some(17.5));
    }

    #[test]
    fn volume_ratio_leaves_the_latest_bar_out_of_its_mean() {
        let mut ratio = VolumeRatio::new(2);
        for volume in [9, 10, 30] {
            ratio.push(volume);
        }
        assert_eq!(ratio.value(), Some(30.0 * 2.0 / 19.0));
        ratio.push(10);
        assert_eq!(ratio.value(), Some(0.5));
    }
}
