//! What is known about the request under way.

use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, OnceLock},
};

use axum::extract::FromRequestParts;
use hindcast_domain::UserId;
use http::{HeaderMap, HeaderValue, request::Parts};
use tracing::Span;
use uuid::Uuid;

use super::traceparent::is_traceparent;
use crate::headers::{TRACEPARENT, X_REQUEST_ID};

/// Names a request in logs and answers.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own, if it sent one that is safe to repeat in logs, else one that sorts by time.
    fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_REQUEST_ID) {
            Some(value) if is_sane(value.as_bytes()) => Self(value.clone()),
            _ => {
                let mut text = [0_u8; uuid::fmt::Hyphenated::LENGTH];
                let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
                // Hex digits and dashes, which any header may hold.
                Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none")))
            }
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

const MAX_REQUEST_ID_BYTES: usize = 128;

fn is_sane(id: &[u8]) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
        && id.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(b))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known about the request under way. An extractor for handlers; clones are cheap.
#[derive(Debug, Clone)]
pub struct RequestContext(Arc<Known>);

#[derive(Debug)]
struct Known {
    request_id: RequestId,
    traceparent: Option<Box<str>>,
    span: Span,
    user_id: OnceLock<UserId>,
}

impl RequestContext {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let request_id = RequestId::of(headers);
        let traceparent = headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_traceparent(text))
            .map(Into::into);
        let span = tracing::info_span!("request", %request_id, user = tracing::field::Empty);
        Self(Arc::new(Known { request_id, traceparent, span, user_id: OnceLock::new() }))
    }

    /// The request's id.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.0.request_id
    }

    /// W3C trace context that the request came with, if it is well-formed: what goes into records.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.0.traceparent.as_deref()
    }

    /// The authenticated user, once that is known.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        self.0.user_id.get()
    }

    /// The span in which the request is handled.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.0.span
    }

    pub(crate) fn tell_user(&self, user_id: &UserId) {
        if self.0.user_id.set(user_id.clone()).is_ok() {
            self.0.span.record("user", user_id.as_str());
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // The edge has put it there; a router without an edge, as in tests, gets one here.
        if let Some(context) = parts.extensions.get::<Self>() {
            return Ok(context.clone());
        }
        let context = Self::of(&parts.headers);
        parts.extensions.insert(context.clone());
        Ok(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(name: http::HeaderName, value: &str) -> RequestContext {
        RequestContext::of(&HeaderMap::from_iter([(name, HeaderValue::try_from(value).unwrap())]))
    }

    #[test]
    fn sane_request_ids_are_kept_and_others_replaced() {
        assert_eq!(context(X_REQUEST_ID, "bot-7/42").request_id().as_str(), "bot-7/42");
        for bad in ["", "two words", "\"quoted\"", "<script>", &"x".repeat(129)] {
            let id = context(X_REQUEST_ID, bad).request_id().as_str().to_owned();
            assert_eq!(Uuid::try_parse(&id).unwrap().get_version_num(), 7, "{bad}");
        }
        assert_ne!(
            RequestContext::of(&HeaderMap::new()).request_id(),
            RequestContext::of(&HeaderMap::new()).request_id()
        );
    }

    #[test]
    fn only_well_formed_trace_contexts_go_on() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(context(TRACEPARENT, good).traceparent(), Some(good));
        assert_eq!(context(TRACEPARENT, "nonsense").traceparent(), None);
    }

    #[test]
    fn the_user_is_told_once() {
        let context = RequestContext::of(&HeaderMap::new());
        assert_eq!(context.user_id(), None);
        context.tell_user(&UserId::new("user-1").unwrap());
        context.tell_user(&UserId::new("user-2").unwrap());
        assert_eq!(context.user_id().unwrap().as_str(), "user-1");
    }
}
