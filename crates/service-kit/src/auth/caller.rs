//! The extractor that stands for an authenticated request.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use hindcast_control::ApiKey;
use hindcast_domain::UserId;
use http::request::Parts;

use super::{
    Gate,
    scope::{Scope, ScopeSet},
};
use crate::problem::Problem;

/// Who is asking. Extracting it authenticates the request and charges the caller's rate limit with one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The API key, given itself or named by a token.
    pub key: Arc<ApiKey>,
    /// Whether a token was given.
    pub via_token: bool,
    /// What the request may do: the key's scopes, or those of them that the token has.
    pub scopes: ScopeSet,
}

impl Caller {
    /// The user whose data the request is about.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.key.user_id
    }

    /// Lets only credentials with a scope pass.
    ///
    /// # Errors
    /// 403 for others.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        Err(Problem::forbidden(format!("this needs the scope {scope}, which the credentials don't have")))
    }

    /// Lets a body pass that names nobody or the caller itself.
    ///
    /// # Errors
    /// 403 for a body that names someone else.
    pub fn check_user(&self, body_user: Option<&str>) -> Result<(), Problem> {
        match body_user {
            Some(user) if user != self.user_id().as_str() => {
                Err(Problem::forbidden("user_id is not the user of the credentials"))
            }
            _ => Ok(()),
        }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Arc<Gate>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let gate = Arc::<Gate>::from_ref(state);
        gate.admit(parts)
    }
}
