//! Turns problems into the bytes that clients see.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use super::Problem;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The problem of a response, if it is one: what a handler returned, or an error that the framework made up itself.
pub(crate) fn of_response(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_own = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| !t.as_bytes().starts_with(b"text/plain"));
    if !is_error || is_own {
        return None;
    }
    // Its text is for programmers, not for clients: the status has to do.
    let (kind, title) = if status.is_server_error() {
        ("internal", "The service failed")
    } else {
        ("bad-request", "The request can't be answered")
    };
    Some(Problem::new(status, kind, title, status.canonical_reason().unwrap_or("no further reason")))
}

/// Writes a problem into its response, keeping headers that are there already, such as `Allow`.
pub(crate) fn render(problem: &Problem, request_id: &str, response: &mut Response) {
    // Made of strings and numbers, which always can be written.
    let body = serde_json::to_vec(&problem.document(Some(request_id))).unwrap_or_default();
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in &problem.headers {
        headers.insert(name.clone(), value.clone());
    }
    *response.body_mut() = Body::from(body);
}

/// The answer of a handler that failed without one.
pub(crate) fn failed(internal: String) -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Problem::internal(internal));
    response
}
