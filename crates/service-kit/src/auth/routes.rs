//! `/v1/auth`: tokens, and the public keys that verify them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Caller, Gate};
use crate::problem::{Problem, ProblemDocument};

/// A token that was just issued.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedToken {
    /// The token.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// How long it is valid, seconds.
    #[schema(example = 900)]
    pub expires_in: u32,
}

/// The routes of `/v1/auth`.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Gate>: FromRef<S>,
{
    OpenApiRouter::new().routes(routes!(token)).routes(routes!(jwks))
}

/// Exchanges the API key of the request for a token that is valid for a short time.
#[utoipa::path(
    post,
    path = "/v1/auth/token",
    tag = "auth",
    security(("api_key" = [])),
    responses(
        (status = 200, description = "A token.", body = IssuedToken),
        (status = 401, description = "No good credentials.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The request came with a token.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Keys can't be checked at present.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn token(State(gate): State<Arc<Gate>>, caller: Caller) -> Result<Response, Problem> {
    let issued = gate.issue_token(&caller)?;
    // RFC 6749, section 5.1: no cache may keep a token.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(issued)).into_response())
}

/// The public keys that verify tokens, a JSON Web Key Set.
#[utoipa::path(
    get,
    path = "/v1/auth/jwks",
    tag = "auth",
    security(()),
    responses((status = 200, description = "The current and the previous keys.", body = Object))
)]
async fn jwks(State(gate): State<Arc<Gate>>) -> Response {
    // Short, so that a new key is known everywhere before the tokens of the old one end.
    ([(header::CACHE_CONTROL, "max-age=60")], Json(gate.signing_keys().public())).into_response()
}
