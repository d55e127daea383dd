//! What is counted about requests.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use http::Method;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// What is counted about requests. Labels are resolved once for each combination that occurs.
pub(crate) struct HttpMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    refused: IntCounterVec,
    pub(crate) in_flight: IntGauge,
    /// By route as it is written in the router, so that there are as many as the program has.
    routes: ArcSwap<HashMap<Box<str>, Arc<RouteMetrics>>>,
    refused_by_kind: RwLock<Vec<(&'static str, IntCounter)>>,
}

struct RouteMetrics {
    seconds: Histogram,
    /// A handful for each route: looked through in order.
    by_answer: RwLock<Vec<(&'static str, u16, IntCounter)>>,
}

/// Upper bounds of the latency histogram, seconds: the service answers within a millisecond, waits end after some.
const BUCKETS_S: [f64; 16] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The status that a request is counted under whose client went away before the answer (as nginx has it).
pub(crate) const CLIENT_WENT_AWAY: u16 = 499;
/// The route of requests that no route takes.
pub(crate) const NO_ROUTE: &str = "none";

impl HttpMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new("hindcast_http_requests_total", "Requests by route, method and status."),
            &["route", "method", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new("hindcast_http_request_seconds", "Time from head of the request to head of the answer.")
                .buckets(BUCKETS_S.to_vec()),
            &["route"],
        )?;
        let refused = IntCounterVec::new(
            Opts::new("hindcast_http_refused_total", "Requests answered with a problem, by its kind."),
            &["reason"],
        )?;
        let in_flight = IntGauge::new("hindcast_http_requests_in_flight", "Requests being answered.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        Ok(Self {
            requests,
            seconds,
            refused,
            in_flight,
            routes: ArcSwap::default(),
            refused_by_kind: RwLock::default(),
        })
    }

    pub(crate) fn answered(&self, route: &str, method: &Method, status: u16, took: Duration) {
        let metrics = self.route(route);
        metrics.seconds.observe(took.as_secs_f64());
        let method = method_label(method);
        let find = |counters: &[(&'static str, u16, IntCounter)]| {
            let counter = counters.iter().find(|(m, s, _)| (*m, *s) == (method, status));
            counter.map(|(_, _, counter)| counter.inc()).is_some()
        };
        if find(&metrics.by_answer.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut counters = metrics.by_answer.write().unwrap_or_else(PoisonError::into_inner);
        if !find(&counters) {
            let counter = self.requests.with_label_values(&[route, method, &status.to_string()]);
            counter.inc();
            counters.push((method, status, counter));
        }
    }

    pub(crate) fn refused(&self, kind: &'static str) {
        let find = |counters: &[(&'static str, IntCounter)]| {
            counters.iter().find(|(k, _)| *k == kind).map(|(_, counter)| counter.inc()).is_some()
        };
        if find(&self.refused_by_kind.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut counters = self.refused_by_kind.write().unwrap_or_else(PoisonError::into_inner);
        if !find(&counters) {
            let counter = self.refused.with_label_values(&[kind]);
            counter.inc();
            counters.push((kind, counter));
        }
    }

    fn route(&self, route: &str) -> Arc<RouteMetrics> {
        if let Some(metrics) = self.routes.load().get(route) {
            return Arc::clone(metrics);
        }
        let made =
            Arc::new(RouteMetrics { seconds: self.seconds.with_label_values(&[route]), by_answer: RwLock::default() });
        // Of two who make the same, the one that comes second is used from then on; both count into the same series.
        self.routes.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            routes.insert(route.into(), Arc::clone(&made));
            routes
        });
        made
    }
}

/// Clients can make methods up; labels can't be.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_route_method_and_status() {
        let registry = Registry::new();
        let metrics = HttpMetrics::register(&registry).unwrap();
        for _ in 0..3 {
            metrics.answered("/v1/signals", &Method::POST, 201, Duration::from_micros(300));
        }
        metrics.answered("/v1/signals", &Method::POST, 422, Duration::from_micros(300));
        metrics.answered(NO_ROUTE, &Method::from_bytes(b"BREW").unwrap(), 405, Duration::ZERO);
        metrics.refused("validation");
        metrics.refused("validation");
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            r#"hindcast_http_requests_total{method="POST",route="/v1/signals",status="201"} 3"#,
            r#"hindcast_http_requests_total{method="POST",route="/v1/signals",status="422"} 1"#,
            r#"hindcast_http_requests_total{method="other",route="none",status="405"} 1"#,
            r#"hindcast_http_request_seconds_bucket{route="/v1/signals",le="0.00025"} 0"#,
            r#"hindcast_http_request_seconds_bucket{route="/v1/signals",le="0.0005"} 4"#,
            r#"hindcast_http_refused_total{reason="validation"} 2"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(HttpMetrics::register(&registry).is_err());
    }

    #[test]
    fn counts_from_many_threads_are_all_there() {
        let registry = Registry::new();
        let metrics = HttpMetrics::register(&registry).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for status in [200, 201, 422, 200] {
                        metrics.answered("/a", &Method::GET, status, Duration::ZERO);
                        metrics.refused("conflict");
                    }
                });
            }
        });
        let total: u64 = [200, 201, 422]
            .iter()
            .map(|status: &u16| metrics.requests.with_label_values(&["/a", "GET", &status.to_string()]).get())
            .sum();
        assert_eq!((total, metrics.refused.with_label_values(&["conflict"]).get()), (16, 16));
        assert_eq!(metrics.seconds.with_label_values(&["/a"]).get_sample_count(), 16);
    }
}
