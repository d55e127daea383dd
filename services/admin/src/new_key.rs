//! Making API keys: over HTTP, and the first one of a fresh system.

use hindcast_control::{Change, ChangeError, Control, Requested};
use hindcast_domain::{TimestampUs, UserId};
use hindcast_service_kit::{
    auth::{NewKey, Scope, sha256_hex},
    clock::now_us,
};

/// What a key is for.
#[derive(Debug, Clone)]
pub struct KeySpec {
    /// Whose requests it authenticates.
    pub user_id: UserId,
    /// What they may do.
    pub scopes: Vec<Scope>,
    /// When it stops working.
    pub expires_at: Option<TimestampUs>,
    /// Its own rate limit.
    pub requests_per_minute: Option<u32>,
}

/// Publishes a key that was drawn; from then on it works everywhere. `by` is the id of the author's key, or `system`.
///
/// # Errors
/// When control does not take it.
pub async fn create_key(control: &Control, key: &NewKey, spec: KeySpec, by: &str) -> Result<(), ChangeError> {
    control
        .change(Requested {
            change: Change::ApiKeyCreated {
                id: key.id.clone(),
                user_id: spec.user_id,
                scopes: spec.scopes.into_iter().map(|scope| scope.name().to_owned()).collect(),
                sha256: sha256_hex(&key.sha256),
                expires_at: spec.expires_at,
                requests_per_minute: spec.requests_per_minute,
            },
            based_on: None,
            by: by.to_owned(),
            why: String::new(),
            at: now_us(),
        })
        .await?;
    Ok(())
}
