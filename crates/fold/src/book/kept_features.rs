//! Features as a book keeps them.

use hindcast_domain::{Features, Side};

/// [`Features`] in two thirds of the memory: a book has hundreds of them, and a fold is as fast as its memory is small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeptFeatures {
    /// 0 for what is not there.
    numbers: [f64; NUMBERS],
    hour: f64,
    /// A bit for each of the numbers.
    present: u8,
    side: Side,
}

const NUMBERS: usize = 5;

impl KeptFeatures {
    /// The side.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// All of them.
    #[must_use]
    pub fn get(&self) -> Features {
        let [rsi, vwap_distance_abs_percent, atr, volume_ratio, spread] =
            std::array::from_fn(|place| self.numbers.get(place).copied().filter(|_| self.present & 1 << place != 0));
        Features { side: self.side, rsi, vwap_distance_abs_percent, atr, volume_ratio, hour: self.hour, spread }
    }
}

impl From<Features> for KeptFeatures {
    fn from(features: Features) -> Self {
        let Features { side, rsi, vwap_distance_abs_percent, atr, volume_ratio, hour, spread } = features;
        let numbers = [rsi, vwap_distance_abs_percent, atr, volume_ratio, spread];
        let bits = numbers.iter().rev().fold(0, |bits, number| bits << 1 | u8::from(number.is_some()));
        Self { numbers: numbers.map(Option::unwrap_or_default), hour, present: bits, side }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_was_given() {
        for missing in 0..1 << NUMBERS {
            let number = |place: u32, value: f64| (missing & 1 << place == 0).then_some(value);
            let features = Features {
                side: if missing % 2 == 0 { Side::Long } else { Side::Short },
                rsi: number(0, 0.0),
                vwap_distance_abs_percent: number(1, 0.13),
                atr: number(2, f64::MAX),
                volume_ratio: number(3, 5e-324),
                hour: 9.5,
                spread: number(4, -1.0),
            };
            assert_eq!(KeptFeatures::from(features).get(), features);
        }
        assert!(size_of::<KeptFeatures>() * 3 <= size_of::<Features>() * 2);
    }
}
