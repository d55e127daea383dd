//! Which features a book keeps of its trades and signals.

use hindcast_domain::Features;
use serde::{Deserialize, Serialize};

/// Names of features, in the order in which a set is written, and their bits.
const NAMES: [(&str, u8); 6] =
    [("rsi", 1), ("vwap_distance", 2), ("atr", 4), ("volume_ratio", 8), ("hour", 16), ("spread", 32)];

/// A set of features. The side is always kept.
///
/// A feature that no trade of a book has tells a model nothing, so leaving one out here leaves it out of every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<&'static str>")]
pub struct FeatureSet(u8);

impl FeatureSet {
    /// What version 1 of the fold keeps.
    pub const FIRST: Self = Self(0b01_1111);
    /// All there are.
    pub const ALL: Self = Self(0b11_1111);

    /// The features of both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Features without those that are not in the set. Without `hour` it is 0 for all.
    #[must_use]
    pub fn of(self, features: Features) -> Features {
        let [rsi, distance, atr, volume_ratio, hour, spread] = NAMES.map(|(_, bit)| self.0 & bit != 0);
        Features {
            side: features.side,
            rsi: features.rsi.filter(|_| rsi),
            vwap_distance_abs_percent: features.vwap_distance_abs_percent.filter(|_| distance),
            atr: features.atr.filter(|_| atr),
            volume_ratio: features.volume_ratio.filter(|_| volume_ratio),
            hour: if hour { features.hour } else { 0.0 },
            spread: features.spread.filter(|_| spread),
        }
    }

    /// Names of the features.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        NAMES.into_iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| name).collect()
    }
}

impl From<FeatureSet> for Vec<&'static str> {
    fn from(set: FeatureSet) -> Self {
        set.names()
    }
}

impl TryFrom<Vec<String>> for FeatureSet {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let mut set = 0;
        for name in names {
            let known = NAMES.iter().find(|(known, _)| *known == name);
            let (_, bit) = known.ok_or_else(|| {
                let all = Self::ALL.names().join(", ");
                format!("{name:?} is no feature that a book can keep; there are {all}")
            })?;
            set |= bit;
        }
        Ok(Self(set))
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::Side;

    use super::*;

    const EVERYTHING: Features = Features {
        side: Side::Short,
        rsi: Some(1.0),
        vwap_distance_abs_percent: Some(2.0),
        atr: Some(3.0),
        volume_ratio: Some(4.0),
        hour: 5.0,
        spread: Some(6.0),
    };

    #[test]
    fn what_is_not_in_the_set_is_left_out() {
        assert_eq!(FeatureSet::ALL.of(EVERYTHING), EVERYTHING);
        assert_eq!(FeatureSet::FIRST.of(EVERYTHING), Features { spread: None, ..EVERYTHING });
        let nothing = FeatureSet::try_from(Vec::new()).unwrap().of(EVERYTHING);
        let none = None;
        assert_eq!(
            nothing,
            Features {
                side: Side::Short,
                rsi: none,
                vwap_distance_abs_percent: none,
                atr: none,
                volume_ratio: none,
                hour: 0.0,
                spread: none
            }
        );
    }

    #[test]
    fn sets_are_written_in_one_order() {
        let set: FeatureSet = serde_json::from_str(r#"["spread","rsi","rsi"]"#).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["rsi","spread"]"#);
        let error = serde_json::from_str::<FeatureSet>(r#"["rsj"]"#).unwrap_err().to_string();
        assert!(error.contains("\"rsj\" is no feature") && error.contains("volume_ratio"), "{error}");
    }
}
