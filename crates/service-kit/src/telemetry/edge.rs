//! What every request passes first and every answer last.
//!
//! One layer instead of five: each layer of a router costs an allocation and a copy of the request.

use std::{
    any::Any,
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    response::Response,
};
use futures::FutureExt;
use http::Method;
use prometheus::Registry;
use tower::{Layer, Service};
use tracing::Instrument;

use super::{
    context::RequestContext,
    http_metrics::{CLIENT_WENT_AWAY, HttpMetrics, NO_ROUTE},
    line_limit::LineLimit,
};
use crate::{
    headers::X_REQUEST_ID,
    problem::{self, Problem},
};

/// What every request passes first and every answer last: request id, span, metrics, panics caught, problems rendered.
pub struct Edge {
    metrics: HttpMetrics,
    failures: LineLimit,
    access_log: bool,
}

const FAILURE_LINES_PER_SECOND: u32 = 20;

impl Edge {
    /// An edge that counts into a registry.
    ///
    /// # Errors
    /// When one of its metrics' names is taken.
    pub fn new(registry: &Registry, access_log: bool) -> Result<Arc<Self>, prometheus::Error> {
        Ok(Arc::new(Self {
            metrics: HttpMetrics::register(registry)?,
            failures: LineLimit::new(FAILURE_LINES_PER_SECOND),
            access_log,
        }))
    }

    /// Puts a finished router behind the edge; unknown routes and methods answer problems. Call it last.
    pub fn around(self: &Arc<Self>, router: Router) -> Router {
        problem::with_fallbacks(router).layer(EdgeLayer(Arc::clone(self)))
    }

    fn finish(&self, context: &RequestContext, mut response: Response) -> Response {
        if let Some(problem) = problem::of_response(&mut response) {
            self.metrics.refused(problem.kind);
            self.log_failure(&problem);
            problem::render(&problem, context.request_id().as_str(), &mut response);
        }
        response.headers_mut().insert(X_REQUEST_ID, context.request_id().as_header().clone());
        response
    }

    fn log_failure(&self, problem: &Problem) {
        let Some(internal) = problem.internal.as_deref() else { return };
        // With the log down every write fails alike: some lines a second say it as well as all.
        let Some(left_out) = self.failures.admit() else { return };
        let status = problem.status.as_u16();
        if status == 500 {
            tracing::error!(status, kind = problem.kind, left_out, "{internal}");
        } else {
            tracing::warn!(status, kind = problem.kind, left_out, "{internal}");
        }
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("access_log", &self.access_log).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct EdgeLayer(Arc<Edge>);

impl<S> Layer<S> for EdgeLayer {
    type Service = EdgeService<S>;

    fn layer(&self, inner: S) -> EdgeService<S> {
        EdgeService { edge: Arc::clone(&self.0), inner }
    }
}

#[derive(Clone)]
struct EdgeService<S> {
    edge: Arc<Edge>,
    inner: S,
}

impl<S> Service<Request> for EdgeService<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let context = RequestContext::of(request.headers());
        request.extensions_mut().insert(context.clone());
        let mut under_way = UnderWay::begin(Arc::clone(&self.edge), &request);
        let span = context.span().clone();
        // The handler's future is made in here as well, for a panic there is one of the handler too.
        let answering = span.in_scope(|| std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(request))));
        let answered = async move {
            let answered = match answering {
                Ok(answering) => AssertUnwindSafe(answering).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            let response = match answered {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(panic) => problem::failed(panic_text(panic.as_ref())),
            };
            let response = under_way.edge.finish(&context, response);
            under_way.end(response.status().as_u16(), &context);
            Ok(response)
        };
        Box::pin(answered.instrument(span))
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("without a text"))
}

/// A request between its head and its answer. Counted even when its client goes away and it is dropped half way.
struct UnderWay {
    edge: Arc<Edge>,
    route: Option<MatchedPath>,
    method: Method,
    path: Option<Box<str>>,
    began: Instant,
    ended: bool,
}

impl UnderWay {
    fn begin(edge: Arc<Edge>, request: &Request) -> Self {
        edge.metrics.in_flight.inc();
        Self {
            route: request.extensions().get::<MatchedPath>().cloned(),
            method: request.method().clone(),
            // Without the query, which may hold what is nobody's business.
            path: edge.access_log.then(|| request.uri().path().into()),
            began: Instant::now(),
            ended: false,
            edge,
        }
    }

    fn end(&mut self, status: u16, context: &RequestContext) {
        let took = self.began.elapsed();
        self.count(status, took);
        if let Some(path) = &self.path {
            tracing::info!(
                target: "hindcast::access",
                method = self.method.as_str(),
                path = &**path,
                status,
                took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                traceparent = context.traceparent(),
                "answered"
            );
        }
    }

    fn count(&mut self, status: u16, took: std::time::Duration) {
        self.ended = true;
        self.edge.metrics.in_flight.dec();
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        self.edge.metrics.answered(route, &self.method, status, took);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.ended {
            self.count(CLIENT_WENT_AWAY, self.began.elapsed());
        }
    }
}
