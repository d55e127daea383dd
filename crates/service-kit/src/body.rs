//! Bodies of requests: their type, size and time. What is in them is not looked at here.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;

use crate::problem::Problem;

/// Most bytes of a body with one event.
pub const SINGLE_LIMIT_BYTES: usize = 64 << 10;
/// Most bytes of a body with many events.
pub const BATCH_LIMIT_BYTES: usize = 1 << 20;

/// The bytes of a body that says it is `application/json` and has at most `LIMIT` bytes.
#[derive(Debug, Clone)]
pub struct JsonBytes<const LIMIT: usize = SINGLE_LIMIT_BYTES>(pub Bytes);

/// The bytes of a batch.
#[derive(Debug, Clone)]
pub struct BatchBytes {
    /// How the events are put together.
    pub format: BatchFormat,
    /// The body.
    pub bytes: Bytes,
}

/// How the events of a batch are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchFormat {
    /// `application/json`: one array.
    Array,
    /// `application/x-ndjson`: one object a line.
    Ndjson,
}

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for JsonBytes<LIMIT> {
    type Rejection = Problem;

    async fn from_request(_request: Request, _state: &S) -> Result<Self, Problem> {
        todo!()
    }
}

impl<S: Send + Sync> FromRequest<S> for BatchBytes {
    type Rejection = Problem;

    async fn from_request(_request: Request, _state: &S) -> Result<Self, Problem> {
        todo!()
    }
}
