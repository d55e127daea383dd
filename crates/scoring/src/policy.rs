//! Policies: from a confidence to an action, with the probability of just that action.

use hindcast_schemas::Action;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::published::InvalidSetting;

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Take or skip.
    pub action: Action,
    /// Probability with which the policy says just that.
    pub propensity: f64,
}

/// Parameters of the policy `threshold`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdParams {
    /// Signals with at least this confidence are taken.
    pub threshold: f64,
    /// Share of decisions made by a fair coin instead, so that skipped signals teach something too.
    pub exploration: f64,
}

impl Default for ThresholdParams {
    fn default() -> Self {
        Self { threshold: 0.5, exploration: 0.0 }
    }
}

/// A policy that can be run.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// Takes at or above a threshold.
    Threshold(Threshold),
}

/// The policy `threshold`, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    params: ThresholdParams,
}

impl Policy {
    /// What to do with a confidence. Draws nothing but what the decision's id seeds.
    #[must_use]
    pub fn decide(&self, confidence: f64, decision_id: Uuid) -> Choice {
        match self {
            Self::Threshold(threshold) => threshold.decide(confidence, decision_id),
        }
    }
}

impl Threshold {
    /// A policy with these parameters.
    ///
    /// # Errors
    /// When a parameter is out of its range.
    pub fn new(params: ThresholdParams) -> Result<Self, InvalidSetting> {
        Ok(Self { params })
    }

    fn decide(&self, _confidence: f64, _decision_id: Uuid) -> Choice {
        let _ = &self.params;
        todo!()
    }
}
