//! What is answered when something is refused or fails: RFC 9457 `application/problem+json`.
//!
//! Handlers return a [`Problem`]. It travels in the response's extensions to the edge, the one place that renders it,
//! because only there the request id and the time the request took are known.

mod conversions;
mod document;
mod fallback;
mod kinds;
mod render;

use std::ops::{Deref, DerefMut};

use axum::response::{IntoResponse, Response};
use hindcast_bodies::FieldError;
use hindcast_domain::Position;
use http::{HeaderName, HeaderValue, StatusCode};

pub use document::{ProblemDocument, ProblemPosition};
pub use fallback::with_fallbacks;
pub(crate) use render::{failed, of_response, render};

/// A refusal or a failure, on its way to the client. Boxed, because results carry it through every handler.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Contents>);

/// What a [`Problem`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The HTTP status.
    pub status: StatusCode,
    /// What kind it is: the last part of the type URI `/problems/KIND`, and the label of the metric that counts it.
    pub kind: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// What happened this time, for the client.
    pub detail: String,
    /// Faults of single fields.
    pub errors: Vec<FieldError>,
    /// When it is worth trying again, seconds.
    pub retry_after_s: Option<u64>,
    /// For a failed write: `none` (surely not stored) or `unknown`.
    pub outcome: Option<&'static str>,
    /// For `projection-behind`: how far the projection is.
    pub reached: Option<Position>,
    /// For `projection-behind`: how far the client wants it to be.
    pub wanted: Option<Position>,
    /// Further headers of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For operators: what really happened. Logged, never shown to clients.
    pub internal: Option<String>,
}

impl Deref for Problem {
    type Target = Contents;
    fn deref(&self) -> &Contents {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Contents {
        &mut self.0
    }
}

impl Problem {
    /// A problem of a kind of one's own. The kinds of the interface have constructors.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Contents {
            status,
            kind,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            outcome: None,
            reached: None,
            wanted: None,
            headers: Vec::new(),
            internal: None,
        }))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds what only the log may tell.
    #[must_use]
    pub fn with_internal(mut self, internal: impl Into<String>) -> Self {
        self.internal = Some(internal.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
