//! The first key of a fresh system, without which nobody could make another.

use hindcast_admin::{KeySpec, create_key};
use hindcast_control::{ChangeError, Control};
use hindcast_domain::UserId;
use hindcast_service_kit::auth::{NewKey, Scope, new_key};

use crate::exit::Failure;

/// A key that the operator brings along, for systems that are set up by programs.
pub(crate) const BOOTSTRAP_VARIABLE: &str = "HINDCAST_BOOTSTRAP_ADMIN_KEY";
/// Names a file that holds such a key, for systems whose secrets are files; white space around it is no part of it.
const BOOTSTRAP_FILE_VARIABLE: &str = "HINDCAST_BOOTSTRAP_ADMIN_KEY_FILE";
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
    let brought = brought()?;
    let key = match &brought {
        Some(secret) => NewKey::brought(secret),
        None => new_key(&user_id).map_err(|error| Failure::failed(format_args!("no randomness: {error}")))?,
    };
    let spec = KeySpec { user_id, scopes: vec![Scope::Admin], expires_at: None, requests_per_minute: None };
    match create_key(control, &key, spec, "system").await {
        Ok(()) => {}
        // Another process that starts at the same moment was first with the key that both were given.
        Err(ChangeError::Conflict(_) | ChangeError::Refused { .. }) if !control.has_no_keys() => return Ok(None),
        Err(error) => return Err(Failure::failed(error)),
    }
    Ok(brought.is_none().then(|| key.secret.clone()))
}

fn brought() -> Result<Option<String>, Failure> {
    let (secret, named) = match (std::env::var(BOOTSTRAP_VARIABLE).ok(), std::env::var_os(BOOTSTRAP_FILE_VARIABLE)) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(format_args!(
                "{BOOTSTRAP_VARIABLE} and {BOOTSTRAP_FILE_VARIABLE} both bring a key; set one of them"
            )));
        }
        (Some(secret), None) => (secret, BOOTSTRAP_VARIABLE),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                Failure::usage(format_args!("{BOOTSTRAP_FILE_VARIABLE}: {}: {error}", file.display()))
            })?;
            (text.trim().to_owned(), BOOTSTRAP_FILE_VARIABLE)
        }
        (None, None) => return Ok(None),
    };
    if secret.len() < MIN_SECRET_CHARS {
        let message = format!("the key of {named} has fewer than {MIN_SECRET_CHARS} characters; bring a random secret");
        return Err(Failure::usage(message));
    }
    Ok(Some(secret))
}
