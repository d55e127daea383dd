//! What the routes may answer instead, for OpenAPI; and the one problem that only they have.

use hindcast_service_kit::problem::{Problem, ProblemDocument};
use http::StatusCode;
use utoipa::IntoResponses;
use uuid::Uuid;

/// 409: another event is known under the id.
pub(crate) fn event_id_conflict(event_id: Uuid) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "event-id-conflict",
        "Another event has this id",
        format!("an event of another content was taken in under the id {event_id}; nothing was stored"),
    )
}

/// What any write may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub(crate) enum WriteProblems {
    /// The request can't be understood; its body is not JSON, for example.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemDocument),
    /// Valid credentials are needed.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemDocument),
    /// The credentials don't allow this, or are another user's.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemDocument),
    /// The body took too long to arrive.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(ProblemDocument),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// The route does not read this content type.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemDocument),
    /// Some fields are wrong; all of them are told.
    #[response(status = 422, content_type = "application/problem+json")]
    Validation(ProblemDocument),
    /// Too many requests.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemDocument),
    /// Not possible at present. `outcome` tells whether the event was surely not stored (`none`) or may have been
    /// (`unknown`: send it again with the same id).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// What a write of an identified event may answer besides.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub(crate) enum ConflictProblem {
    /// Another event is known under the id (`event-id-conflict`).
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemDocument),
}
