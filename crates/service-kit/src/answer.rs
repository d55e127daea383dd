//! JSON answers of the busiest routes.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;

use crate::problem::Problem;

/// Room for a usual answer, so that writing it does not grow the buffer.
const USUAL_BYTES: usize = 1_024;

/// An answer as JSON, status 200.
#[derive(Debug, Clone, Copy)]
pub struct JsonAnswer<T>(pub T);

impl<T: Serialize> IntoResponse for JsonAnswer<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(USUAL_BYTES);
        match serde_json::to_writer(&mut body, &self.0) {
            Ok(()) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
            Err(error) => Problem::internal(format!("an answer can't be written: {error}")).into_response(),
        }
    }
}
