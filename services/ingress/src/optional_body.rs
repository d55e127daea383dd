//! A JSON body that may be left out.

use axum::{
    body::HttpBody,
    extract::{FromRequest, Request},
};
use hindcast_service_kit::{body::JsonBytes, problem::Problem};
use http::header;

/// The bytes of a JSON body; empty if there is none, which then needs no content type.
pub(crate) struct OptionalJson(pub(crate) axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for OptionalJson {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self(axum::body::Bytes::new()));
        }
        <JsonBytes>::from_request(request, state).await.map(|JsonBytes(bytes)| Self(bytes))
    }
}
