//! What can be set of the model `kernel`.

use serde::{Deserialize, Serialize};

use crate::published::InvalidSetting;

/// Parameters of the model `kernel`. All are written out when it is published: a default that changes later must not
/// change what an old digest means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelParams {
    /// Latest closed trades that are looked at, at most; 1 to 65535. The book's ring may hold fewer.
    pub experiences: u16,
    /// Width of the kernel, in standard deviations of a feature; 0.01 to 100.
    pub bandwidth: f64,
    /// How many trades the book's win rate weighs as much as; 0.01 to 1e6.
    pub prior_weight: f64,
    /// How many trades the assumption of even odds weighs as much as in the book's win rate; 0.01 to 1e6.
    pub even_odds_weight: f64,
    /// Half the width of the interval in standard deviations of the log odds; 0.01 to 10. 1.645 covers about 90 %.
    pub interval_z: f64,
}

impl Default for KernelParams {
    fn default() -> Self {
        Self { experiences: 256, bandwidth: 0.8, prior_weight: 8.0, even_odds_weight: 2.0, interval_z: 1.645 }
    }
}

impl KernelParams {
    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_within("experiences", f64::from(self.experiences), 1.0, 65_535.0)?;
        InvalidSetting::unless_within("bandwidth", self.bandwidth, 0.01, 100.0)?;
        InvalidSetting::unless_within("prior_weight", self.prior_weight, 0.01, 1e6)?;
        InvalidSetting::unless_within("even_odds_weight", self.even_odds_weight, 0.01, 1e6)?;
        InvalidSetting::unless_within("interval_z", self.interval_z, 0.01, 10.0)
    }
}
