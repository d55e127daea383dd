//! Bodies that nobody read.
//!
//! Whoever lacks a credential is answered before the body is looked at. If a part of it is still on its way then, the
//! connection can't be used again: what arrives would be taken for the next request. So the rest is read before the
//! answer goes out, within bounds, and where it is too much or too slow the answer says that the connection ends.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// Most of an unread body that is still read, and for how long.
const DRAINED_BYTES: usize = 4 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Where a body is put when it is dropped before its end.
type Slot<B> = Arc<Mutex<Option<B>>>;

/// What may be left of a request's body once the request is answered.
pub(crate) struct Rest<B> {
    slot: Slot<B>,
    /// The client sends the body only when it is asked for: it is not, any more.
    is_unasked: bool,
}

struct Watched<B: HttpBody + Unpin> {
    body: Option<B>,
    slot: Slot<B>,
}

/// A request whose body is given back when nobody reads it to its end; `None` for one without a body.
pub(crate) fn watch<B>(request: Request<B>) -> (Request<Body>, Option<Rest<B>>)
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    if request.body().is_end_stream() {
        return (request.map(Body::new), None);
    }
    let slot = Slot::default();
    let is_unasked = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| Body::new(Watched { body: Some(body), slot: Arc::clone(&slot) }));
    (request, Some(Rest { slot, is_unasked }))
}

impl<B: HttpBody<Data = Bytes> + Unpin> Rest<B> {
    /// Reads what is left of the body, or lets the answer say that the connection ends.
    pub(crate) async fn read_before(self, response: &mut Response) {
        let left = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(body) = left else { return };
        if self.is_unasked || !drain(body).await {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Whether the body's end was reached.
async fn drain<B: HttpBody<Data = Bytes> + Unpin>(mut body: B) -> bool {
    let mut left = DRAINED_BYTES;
    let rest = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        true
    };
    tokio::time::timeout(DRAIN_TIMEOUT, rest).await.unwrap_or(false)
}

impl<B: HttpBody + Unpin> HttpBody for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<B: HttpBody + Unpin> Drop for Watched<B> {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    fn endless() -> Body {
        Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 64 << 10]))))
    }

    fn silent() -> Body {
        Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
    }

    fn pieces() -> Body {
        Body::from_stream(stream::iter(["some", "more"].map(Ok::<_, Infallible>)))
    }

    async fn is_closed_after(body: Body, expect: bool, read: impl AsyncFnOnce(Body)) -> bool {
        let mut request = Request::new(body);
        if expect {
            request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        }
        let (request, rest) = watch(request);
        read(request.into_body()).await;
        let mut response = Response::new(Body::empty());
        if let Some(rest) = rest {
            rest.read_before(&mut response).await;
        }
        response.headers().get(header::CONNECTION).is_some_and(|value| value == "close")
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_ends_only_when_the_rest_is_too_much() {
        assert!(!is_closed_after(Body::empty(), false, async |_| {}).await);
        assert!(!is_closed_after(Body::from("small"), false, async |_| {}).await);
        assert!(!is_closed_after(pieces(), false, async |_| {}).await);
        assert!(!is_closed_after(pieces(), false, async |body| drop(body.collect().await.unwrap())).await);
        assert!(is_closed_after(endless(), false, async |_| {}).await);
        assert!(is_closed_after(silent(), false, async |_| {}).await);
        assert!(is_closed_after(pieces(), true, async |_| {}).await);
        assert!(!is_closed_after(pieces(), true, async |body| drop(body.collect().await.unwrap())).await);
    }
}
