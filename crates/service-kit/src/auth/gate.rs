//! The gate that every authenticated request passes.

use std::sync::Arc;

use hindcast_control::Control;
use http::request::Parts;

use super::{AuthConfig, Caller, SigningKeys};
use crate::problem::Problem;

/// Checks credentials and limits.
pub struct Gate {
    control: Arc<Control>,
}

impl Gate {
    /// A gate for the keys of control.
    #[must_use]
    pub fn new(control: Arc<Control>, _signing: SigningKeys, _config: &AuthConfig) -> Arc<Self> {
        Arc::new(Self { control })
    }

    /// Authenticates a request and charges its user with one.
    ///
    /// # Errors
    /// 401, 429, or 503 while the keys are not known well enough.
    pub fn admit(&self, _parts: &Parts) -> Result<Caller, Problem> {
        let _ = &self.control;
        todo!()
    }

    /// Charges the caller with a further cost, as of a batch.
    ///
    /// # Errors
    /// 429 when it is more than the limit allows now.
    pub fn charge(&self, _caller: &Caller, _cost: u32) -> Result<(), Problem> {
        todo!()
    }
}
