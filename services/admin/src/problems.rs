//! The problems that the routes share, for OpenAPI.

use hindcast_service_kit::problem::ProblemDocument;
use utoipa::IntoResponses;

/// What any of the routes may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub(crate) enum AdminProblems {
    /// The request can't be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemDocument),
    /// Valid credentials are needed.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemDocument),
    /// The credentials don't have the scope.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemDocument),
    /// Some parameters are wrong.
    #[response(status = 422, content_type = "application/problem+json")]
    Validation(ProblemDocument),
    /// Too many requests.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemDocument),
    /// Not possible at present.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// What a route that takes a body may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)] // only described
pub(crate) enum BodyProblems {
    /// The body took too long to arrive.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(ProblemDocument),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// The body is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemDocument),
}
