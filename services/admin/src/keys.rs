//! `/admin/v1/keys`: creating, listing and revoking API keys.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_control::{ApiKey, Change, Entity, Requested};
use hindcast_domain::{TimestampUs, UserId};
use hindcast_service_kit::{
    auth::{Caller, Scope, new_key},
    body::JsonBytes,
    clock::now_us,
    params::PathParams,
    problem::{Problem, ProblemDocument},
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    fields::Fields,
    new_key::{KeySpec, create_key},
    problems::{AdminProblems, BodyProblems},
    state::Shared,
};

/// Longest life of a key that is asked for in seconds: ten years.
const MAX_EXPIRES_IN_S: u64 = 10 * 366 * 86_400;
const MAX_REQUESTS_PER_MINUTE: u64 = 100_000_000;

/// What a new key is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct NewKeyRequest {
    /// Whose requests it authenticates.
    #[schema(min_length = 5, max_length = 100, pattern = "^[A-Za-z0-9_.-]+$", examples("desk-1"))]
    user_id: String,
    /// What they may do.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// Seconds until it stops working; never if left out.
    #[schema(minimum = 1, maximum = 316_224_000)]
    expires_in_s: Option<u64>,
    /// Its own rate limit, requests a minute; the common one if left out.
    #[schema(minimum = 1, maximum = 100_000_000)]
    requests_per_minute: Option<u32>,
}

/// A key that was just created. The secret is told this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewKeyAnswer {
    /// Public id.
    id: String,
    /// Whose requests it authenticates.
    user_id: String,
    /// The secret.
    key: String,
    /// What it allows.
    scopes: Vec<Scope>,
    /// When it stops working.
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    /// Its own rate limit.
    #[schema(required)]
    requests_per_minute: Option<u32>,
}

/// A key without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyAnswer {
    /// Public id.
    id: String,
    /// Whose requests it authenticates.
    user_id: String,
    /// What it allows.
    scopes: Vec<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it stops working.
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    /// When it was revoked.
    #[schema(required, format = DateTime)]
    revoked_at: Option<String>,
    /// Its own rate limit.
    #[schema(required)]
    requests_per_minute: Option<u32>,
}

/// All keys, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysAnswer {
    keys: Vec<KeyAnswer>,
}

impl From<&ApiKey> for KeyAnswer {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            user_id: key.user_id.to_string(),
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            created_at: rfc3339(key.created_at),
            expires_at: key.expires_at.map(rfc3339),
            revoked_at: key.revoked_at.map(rfc3339),
            requests_per_minute: key.requests_per_minute,
        }
    }
}

/// Creates an API key.
#[utoipa::path(
    post,
    path = "/admin/v1/keys",
    tag = "admin",
    request_body = NewKeyRequest,
    responses(
        (status = 201, description = "The key, with its secret.", body = NewKeyAnswer),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn create(
    State(state): State<Shared>,
    caller: Caller,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let spec = read_request(&body, now_us())?;
    let key = new_key(&spec.user_id).map_err(|error| Problem::internal(format!("no randomness: {error}")))?;
    let answer = NewKeyAnswer {
        id: key.id.clone(),
        user_id: spec.user_id.to_string(),
        key: key.secret.clone(),
        scopes: spec.scopes.clone(),
        expires_at: spec.expires_at.map(rfc3339),
        requests_per_minute: spec.requests_per_minute,
    };
    create_key(&state.ports.control, &key, spec, &caller.key.id).await?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// All API keys, without secrets.
#[utoipa::path(
    get,
    path = "/admin/v1/keys",
    tag = "admin",
    responses((status = 200, description = "The keys.", body = KeysAnswer), AdminProblems),
)]
pub(crate) async fn list(State(state): State<Shared>, caller: Caller) -> Result<Json<KeysAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    let keys = state.ports.control.keys().iter().map(|key| KeyAnswer::from(&**key)).collect();
    Ok(Json(KeysAnswer { keys }))
}

/// Revokes an API key and with it all tokens that name it. Repeating it changes nothing.
#[utoipa::path(
    delete,
    path = "/admin/v1/keys/{id}",
    tag = "admin",
    params(("id" = String, Path, description = "Public id of the key.")),
    responses(
        (status = 200, description = "The key, revoked.", body = KeyAnswer),
        (status = 404, description = "There is no such key.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else changed the key meanwhile.", body = ProblemDocument, content_type = "application/problem+json"),
        AdminProblems,
    ),
)]
pub(crate) async fn revoke(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(id): PathParams<String>,
) -> Result<Json<KeyAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    let control = &state.ports.control;
    let known = || control.key_by_id(&id).ok_or_else(|| Problem::not_found("there is no key of this id"));
    if known()?.revoked_at.is_none() {
        let change = Change::ApiKeyRevoked { id: id.clone() };
        let based_on = control.last_change(&Entity(format!("api-key/{id}")));
        let (by, why) = (caller.key.id.to_string(), String::new());
        control.change(Requested { change, based_on, by, why, at: now_us() }).await?;
    }
    Ok(Json(KeyAnswer::from(&*known()?)))
}

fn rfc3339(at: TimestampUs) -> String {
    Timestamp::from_microsecond(at.0).unwrap_or_default().to_string()
}

/// Reads a request for a key; all faults at once.
fn read_request(body: &[u8], now: TimestampUs) -> Result<KeySpec, Problem> {
    let mut fields = Fields::of(body)?;
    let user_id = user_id(&mut fields);
    let scopes = scopes(&mut fields);
    let expires_in_s = fields.number("expires_in_s", 1, MAX_EXPIRES_IN_S);
    let requests_per_minute = fields.number("requests_per_minute", 1, MAX_REQUESTS_PER_MINUTE);
    fields.finish("a key")?;
    let user_id = user_id.ok_or_else(|| Problem::internal("a key without a user was let through"))?;
    let expires_at = expires_in_s.and_then(|s| i64::try_from(s).ok()).map(|s| TimestampUs(now.0 + s * 1_000_000));
    let requests_per_minute = requests_per_minute.and_then(|n| u32::try_from(n).ok());
    Ok(KeySpec { user_id, scopes, expires_at, requests_per_minute })
}

fn user_id(fields: &mut Fields) -> Option<UserId> {
    let fault = match fields.take("user_id") {
        Some(Value::String(text)) => match UserId::new(&text) {
            Ok(user_id) => return Some(user_id),
            Err(error) => error.to_string(),
        },
        Some(_) => "must be a string".to_owned(),
        None => "is missing".to_owned(),
    };
    fields.fault("user_id", fault);
    None
}

fn scopes(fields: &mut Fields) -> Vec<Scope> {
    let mut scopes = Vec::new();
    match fields.take("scopes") {
        Some(Value::Array(names)) if !names.is_empty() => {
            for (index, name) in names.iter().enumerate() {
                match name.as_str().and_then(|name| name.parse().ok()) {
                    Some(scope) if !scopes.contains(&scope) => scopes.push(scope),
                    Some(_) => {}
                    None => {
                        fields.fault(&format!("scopes/{index}"), "must be one of \"trade\", \"replay\" and \"admin\"")
                    }
                }
            }
        }
        Some(_) => fields.fault("scopes", "must be an array with at least one scope"),
        None => fields.fault("scopes", "is missing"),
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whole() {
        let body = br#"{"user_id": "desk-1", "scopes": ["trade", "replay", "trade"], "expires_in_s": 60}"#;
        let spec = read_request(body, TimestampUs(1)).unwrap();
        assert_eq!(spec.user_id.as_str(), "desk-1");
        assert_eq!(spec.scopes, [Scope::Trade, Scope::Replay]);
        assert_eq!(spec.expires_at, Some(TimestampUs(60_000_001)));
        assert_eq!(spec.requests_per_minute, None);
    }

    #[test]
    fn all_faults_at_once() {
        let body = br#"{"user_id": "x", "scopes": ["root"], "expires_in_s": 0, "requests_per_minute": 1.5, "a/b": 1}"#;
        let problem = read_request(body, TimestampUs(1)).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/user_id", "/scopes/0", "/expires_in_s", "/requests_per_minute", "/a~1b"]);
        assert_eq!(read_request(b"[]", TimestampUs(1)).unwrap_err().status, 422);
        assert_eq!(read_request(b"{", TimestampUs(1)).unwrap_err().status, 400);
    }
}
