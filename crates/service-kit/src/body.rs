//! Bodies of requests: their type, size and time. What is in them is not looked at here.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;

use crate::problem::Problem;

/// Most bytes of a body with one event.
pub const SINGLE_LIMIT_BYTES: usize = 64 << 10;
/// Most bytes of a body with many events.
pub const BATCH_LIMIT_BYTES: usize = 1 << 20;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of a body that says it is `application/json` and has at most `LIMIT` bytes.
#[derive(Debug, Clone)]
pub struct JsonBytes<const LIMIT: usize = SINGLE_LIMIT_BYTES>(pub Bytes);

/// The bytes of a batch: at most [`BATCH_LIMIT_BYTES`].
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

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        match media_type(request.headers())? {
            MediaType::Json => read(request, LIMIT).await.map(Self),
            MediaType::Ndjson | MediaType::Other => Err(unsupported("application/json")),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for BatchBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let format = match media_type(request.headers())? {
            MediaType::Json => BatchFormat::Array,
            MediaType::Ndjson => BatchFormat::Ndjson,
            MediaType::Other => return Err(unsupported("application/json or application/x-ndjson")),
        };
        Ok(Self { format, bytes: read(request, BATCH_LIMIT_BYTES).await? })
    }
}

enum MediaType {
    Json,
    Ndjson,
    Other,
}

fn media_type(headers: &HeaderMap) -> Result<MediaType, Problem> {
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| !is_plain(value)) {
        return Err(Problem::unsupported_media_type("bodies are read as they are, without content-encoding"));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(MediaType::Other) };
    // What nearly everyone sends, before anything is taken apart.
    if value == "application/json" {
        return Ok(MediaType::Json);
    }
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_utf8 = parts.filter(|parameter| !parameter.is_empty()).all(|parameter| {
        parameter.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    Ok(if !is_utf8 {
        MediaType::Other
    } else if essence.eq_ignore_ascii_case("application/json") {
        MediaType::Json
    } else if essence.eq_ignore_ascii_case("application/x-ndjson") {
        MediaType::Ndjson
    } else {
        MediaType::Other
    })
}

fn unsupported(expected: &str) -> Problem {
    Problem::unsupported_media_type(format!("the body must be {expected}, in UTF-8; say so in content-type"))
}

async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let body = request.into_body();
    // What says that it is too large is not kept at all.
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(Problem::payload_too_large(limit));
    }
    match tokio::time::timeout(TIMEOUT, collect(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::request_timeout(format!("the body did not arrive within {} s", TIMEOUT.as_secs()))),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request(format!("the body ended early: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len().max(all.len()) + data.len() > limit {
            return Err(Problem::payload_too_large(limit));
        }
        if first.is_empty() && all.is_empty() {
            // Nearly always the only piece, and then it need not be copied.
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    fn request(content_type: Option<&str>, body: Body) -> Request {
        let mut request = Request::builder();
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        request.body(body).unwrap()
    }

    async fn single(content_type: Option<&str>, body: Body) -> Result<Bytes, u16> {
        let read = JsonBytes::<16>::from_request(request(content_type, body), &()).await;
        read.map(|body| body.0).map_err(|problem| problem.status.as_u16())
    }

    fn pieces(pieces: &[&'static str]) -> Body {
        Body::from_stream(stream::iter(pieces.iter().map(|&piece| Ok::<_, Infallible>(piece)).collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn content_types() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json;",
        ] {
            assert_eq!(single(Some(good), Body::from("{}")).await, Ok(Bytes::from("{}")), "{good}");
        }
        for bad in
            [None, Some("text/json"), Some("application/x-ndjson"), Some("application/json; charset=latin1"), Some("")]
        {
            assert_eq!(single(bad, Body::from("{}")).await, Err(415), "{bad:?}");
        }
        let mut compressed = request(Some("application/json"), Body::from("{}"));
        compressed.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(JsonBytes::<16>::from_request(compressed, &()).await.unwrap_err().status, 415);
    }

    #[tokio::test]
    async fn sizes_announced_or_not() {
        let json = Some("application/json");
        assert_eq!(single(json, Body::from("0123456789abcdef")).await.unwrap().len(), 16);
        assert_eq!(single(json, Body::from("0123456789abcdefg")).await, Err(413));
        assert_eq!(single(json, pieces(&["0123", "", "4567", "89abcdef"])).await.unwrap(), "0123456789abcdef");
        assert_eq!(single(json, pieces(&["0123456789abcdefg"])).await, Err(413));
        assert_eq!(single(json, pieces(&["01234567", "89abcdef", "g"])).await, Err(413));
        assert_eq!(single(json, Body::empty()).await.unwrap(), "");
    }

    #[tokio::test]
    async fn batches_are_arrays_or_lines() {
        for (content_type, format) in
            [("application/json", BatchFormat::Array), ("application/x-ndjson; charset=utf-8", BatchFormat::Ndjson)]
        {
            let batch = BatchBytes::from_request(request(Some(content_type), Body::from("[]")), &()).await.unwrap();
            assert_eq!((batch.format, &*batch.bytes), (format, b"[]".as_slice()));
        }
        let other = BatchBytes::from_request(request(Some("text/csv"), Body::from("[]")), &()).await;
        assert_eq!(other.unwrap_err().status, 415);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert_eq!(single(Some("application/json"), endless).await, Err(408));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_bad_request() {
        let broken = Body::from_stream(stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]));
        assert_eq!(single(Some("application/json"), broken).await, Err(400));
    }
}
