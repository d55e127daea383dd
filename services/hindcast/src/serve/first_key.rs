//! The first key of a fresh system, without which nobody could make another.

use hindcast_admin::{KeySpec, create_key};
use hindcast_control::Control;
use hindcast_domain::UserId;
use hindcast_service_kit::auth::{NewKey, Scope, new_key};

use crate::exit::Failure;

/// A key that the operator brings along, for systems that are set up by programs.
pub(crate) const BOOTSTRAP_VARIABLE: &str = "HINDCAST_BOOTSTRAP_ADMIN_KEY";
/// Shortest secret taken from there: as much as 128 random bits in base64.
const MIN_SECRET_CHARS: usize = 22;
/// The user of the first key.
const ADMIN_USER: &str = "admin";

/// Creates an admin key when there is no key at all. Returns its secret, to be shown once, unless the operator brought
/// it along.
pub(super) async fn ensure(control: &Control) -> Result<Option<String>, Failure> {
    if !control.has_no_keys() {
        return Ok(None);
    }
    let user_id = UserId::new(ADMIN_USER).map_err(Failure::failed)?;
    let brought = std::env::var(BOOTSTRAP_VARIABLE).ok();
    let key = match &brought {
        Some(secret) if secret.len() < MIN_SECRET_CHARS => {
            let message =
                format!("{BOOTSTRAP_VARIABLE} has fewer than {MIN_SECRET_CHARS} characters; bring a random secret");
            return Err(Failure::usage(message));
        }
        Some(secret) => NewKey::brought(secret),
        None => new_key(&user_id).map_err(|error| Failure::failed(format_args!("no randomness: {error}")))?,
    };
    let spec = KeySpec { user_id, scopes: vec![Scope::Admin], expires_at: None, requests_per_minute: None };
    create_key(control, &key, spec, "system").await.map_err(Failure::failed)?;
    Ok(brought.is_none().then(|| key.secret.clone()))
}
