//! Models and policies as they are published in control: named, versioned, digested.

use serde::{Deserialize, Serialize};

use crate::{canonical::digest_of, kernel::Kernel, policy::Threshold};
pub use crate::{
    kernel::KernelParams,
    model::Model,
    policy::{Policy, ThresholdParams},
};

/// A published setting that can't be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} must lie between {low} and {high}; it is {value}")]
pub struct InvalidSetting {
    /// The parameter.
    pub name: &'static str,
    /// Its lower bound.
    pub low: f64,
    /// Its upper bound.
    pub high: f64,
    /// What it is.
    pub value: f64,
}

impl InvalidSetting {
    pub(crate) fn unless_within(name: &'static str, value: f64, low: f64, high: f64) -> Result<(), Self> {
        // No number is within any bounds, so `NaN` is refused too.
        if (low..=high).contains(&value) { Ok(()) } else { Err(Self { name, low, high, value }) }
    }
}

/// A model as published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedModel {
    /// Name, for example `kernel`.
    pub name: String,
    /// Version, from 1.
    pub version: u32,
    /// Which scorer, with its parameters.
    pub params: ModelParams,
}

/// Which scorer, with its parameters. A scorer whose formula changes becomes a new kind: decisions refer to the old one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelParams {
    /// See [`crate::kernel`].
    Kernel(KernelParams),
}

/// A policy as published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedPolicy {
    /// Name, for example `threshold`.
    pub name: String,
    /// Version, from 1.
    pub version: u32,
    /// Which rule, with its parameters.
    pub params: PolicyParams,
}

/// Which rule, with its parameters. A rule that changes becomes a new kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PolicyParams {
    /// See [`crate::policy`].
    Threshold(ThresholdParams),
}

impl PublishedModel {
    /// The model that a first start publishes: `kernel` version 1.
    #[must_use]
    pub fn default_kernel() -> Self {
        Self { name: "kernel".to_owned(), version: 1, params: ModelParams::Kernel(KernelParams::default()) }
    }

    /// SHA-256 of the canonical JSON, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of(self)
    }

    /// The model, ready to run.
    ///
    /// # Errors
    /// When a parameter is out of its range.
    pub fn runnable(&self) -> Result<Model, InvalidSetting> {
        match &self.params {
            ModelParams::Kernel(params) => Kernel::new(params.clone()).map(Model::Kernel),
        }
    }
}

impl PublishedPolicy {
    /// The policy that a first start publishes: `threshold` version 1.
    #[must_use]
    pub fn default_threshold() -> Self {
        let params = PolicyParams::Threshold(ThresholdParams::default());
        Self { name: "threshold".to_owned(), version: 1, params }
    }

    /// SHA-256 of the canonical JSON, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of(self)
    }

    /// The policy, ready to run.
    ///
    /// # Errors
    /// When a parameter is out of its range.
    pub fn runnable(&self) -> Result<Policy, InvalidSetting> {
        match &self.params {
            PolicyParams::Threshold(params) => Threshold::new(params.clone()).map(Policy::Threshold),
        }
    }
}
