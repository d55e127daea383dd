//! The kinds of problems that the interface names, one constructor each.

use hindcast_bodies::FieldError;
use hindcast_domain::Position;
use http::{StatusCode, header};

use super::Problem;

/// What a client waits before it asks a service that is overloaded or partly down again, seconds.
const RETRY_AFTER_S: u64 = 1;

impl Problem {
    /// 400: the request can't be understood.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request can't be understood", detail)
    }

    /// 400: the body is no JSON.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-body", "The body is not JSON", detail)
    }

    /// 422: the body is JSON, its fields are wrong; all faults at once.
    #[must_use]
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.to_string(),
            several => format!("{} fields are wrong", several.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation", "Some fields are wrong", detail);
        problem.errors = errors;
        problem
    }

    /// 401: no credentials, or wrong ones.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Valid credentials are needed", detail)
            .with_header(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer realm=\"hindcast\""))
    }

    /// 403: the credentials don't allow this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The credentials don't allow this", detail)
    }

    /// 404: there is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// 405: the route is there, not for this method.
    #[must_use]
    pub fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The route does not take this method", detail)
    }

    /// 408: the request took too long to arrive.
    #[must_use]
    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", "The request took too long to arrive", detail)
    }

    /// 409: it was changed in the meantime, or is there already.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "It is not in the state this change is based on", detail)
    }

    /// 410: it was there once.
    #[must_use]
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "gone", "It is no longer there", detail)
    }

    /// 413: the body is too large.
    #[must_use]
    pub fn payload_too_large(limit_bytes: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "The body is too large",
            format!("the body may have {limit_bytes} bytes"),
        )
    }

    /// 415: the body has a content type that this route does not read.
    #[must_use]
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The route does not read this content type",
            detail,
        )
    }

    /// 429: too many requests.
    #[must_use]
    pub fn too_many_requests(retry_after_s: u64, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail);
        problem.retry_after_s = Some(retry_after_s);
        problem
    }

    /// 500: a fault of the service; what it is stands in the log alone.
    #[must_use]
    pub fn internal(internal: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The service failed",
            "this is a fault of the service; its log says more under the request id",
        )
        .with_internal(internal)
    }

    /// 503: something that the service needs is down, slow or busy. Nothing was written.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service can't do this at present", detail);
        problem.retry_after_s = Some(RETRY_AFTER_S);
        problem
    }

    /// 503 for a write: nothing was stored.
    #[must_use]
    pub fn not_stored(detail: impl Into<String>) -> Self {
        let mut problem = Self::unavailable(detail);
        problem.outcome = Some("none");
        problem
    }

    /// 503 for a write: it may have been stored.
    #[must_use]
    pub fn outcome_unknown(detail: impl Into<String>) -> Self {
        let mut problem = Self::unavailable(detail);
        problem.outcome = Some("unknown");
        problem
    }

    /// 503: the projection has not reached the position that the client named.
    #[must_use]
    pub fn projection_behind(wanted: Position, reached: Option<Position>) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "projection-behind",
            "The projection has not reached the position asked for",
            match reached {
                Some(reached) => format!("{wanted} is asked for, {reached} is reached"),
                None => format!("{wanted} is asked for, nothing of its partition is projected yet"),
            },
        );
        problem.retry_after_s = Some(RETRY_AFTER_S);
        problem.wanted = Some(wanted);
        problem.reached = reached;
        problem
    }
}
