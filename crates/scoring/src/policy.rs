//! Policies: from a confidence to an action, with the probability of just that action.

use hindcast_schemas::Action;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
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
    /// Signals with at least this confidence are taken; 0 to 1.
    pub threshold: f64,
    /// Share of decisions made by a fair coin instead, so that skipped signals teach something too; 0 to 1.
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
        InvalidSetting::unless_within("threshold", params.threshold, 0.0, 1.0)?;
        InvalidSetting::unless_within("exploration", params.exploration, 0.0, 1.0)?;
        Ok(Self { params })
    }

    fn decide(&self, confidence: f64, decision_id: Uuid) -> Choice {
        let ThresholdParams { threshold, exploration } = self.params;
        let greedy = if confidence >= threshold { Action::Take } else { Action::Skip };
        let action = coin(exploration, decision_id).unwrap_or(greedy);
        // The coin falls on the greedy side half of the times it is thrown.
        let off_greedy = exploration / 2.0;
        Choice { action, propensity: if action == greedy { 1.0 - off_greedy } else { off_greedy } }
    }
}

/// What the coin says, for the share of decisions in which it is thrown.
fn coin(exploration: f64, decision_id: Uuid) -> Option<Action> {
    if exploration == 0.0 {
        return None;
    }
    // The purpose keeps this draw independent of others that the same id seeds.
    let digest: [u8; 32] = Sha256::new_with_prefix(b"policy/threshold/exploration\n")
        .chain_update(decision_id.as_bytes())
        .finalize()
        .into();
    let (draw, face) = digest.split_first_chunk::<8>()?;
    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    let uniform = (u64::from_be_bytes(*draw) >> 11) as f64 / 9_007_199_254_740_992.0;
    let take = face.first().is_some_and(|byte| byte & 1 == 1);
    (uniform < exploration).then_some(if take { Action::Take } else { Action::Skip })
}
