//! The model `kernel`.

use hindcast_domain::Features;
use hindcast_fold::book::Book;
use serde::{Deserialize, Serialize};

use crate::{model::Score, published::InvalidSetting};

/// Parameters of the model `kernel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelParams {
    /// Latest closed trades that are looked at, at most.
    pub experiences: u16,
    /// Width of the kernel, in standard deviations of a feature.
    pub bandwidth: f64,
    /// How many trades the book's win rate weighs as much as.
    pub prior_weight: f64,
    /// How many trades the assumption of even odds weighs as much as in the book's win rate.
    pub even_odds_weight: f64,
    /// Half the width of the interval in standard deviations: 1.645 covers 90 %.
    pub interval_z: f64,
}

impl Default for KernelParams {
    fn default() -> Self {
        Self { experiences: 256, bandwidth: 0.8, prior_weight: 8.0, even_odds_weight: 2.0, interval_z: 1.645 }
    }
}

/// The model `kernel`, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    params: KernelParams,
}

/// What [`Kernel`] prepares from a book.
#[derive(Debug, Clone)]
pub struct PreparedKernel {}

impl Kernel {
    /// A model with these parameters.
    ///
    /// # Errors
    /// When a parameter is out of its range.
    pub fn new(params: KernelParams) -> Result<Self, InvalidSetting> {
        Ok(Self { params })
    }

    pub(crate) fn prepare(&self, _book: &Book, _strategy: Option<&str>) -> PreparedKernel {
        let _ = &self.params;
        todo!()
    }
}

impl PreparedKernel {
    pub(crate) fn score(&self, _features: &Features) -> Score {
        todo!()
    }
}
