//! What a benchmark found: our path beside its limit, in the same run.

use serde::Serialize;

use super::load::Load;

/// What a benchmark found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the benchmark.
    pub bench: &'static str,
    /// Engine of the log and the views, such as `embedded` or `kafka+cql`.
    pub engine: String,
    /// Our path.
    pub ours: Measured,
    /// The limit in the same run.
    pub limit: Limit,
    /// `ours.per_second / limit.per_second`.
    pub ratio: f64,
    /// The first target of the design for the ratio; reported, never asserted.
    pub target: f64,
    /// Latency of our path at half of its saturated rate, requests sent on schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_load: Option<HalfLoad>,
    /// Further figures, such as sizes.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// A rate and, for requests, how long they took while the system was saturated.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Measured {
    /// Requests or events in a second.
    pub per_second: f64,
    /// Median, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// 99th percentile, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// 99.9th percentile, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999_us: Option<u64>,
}

/// What the ratio is taken against.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    /// In words.
    pub what: &'static str,
    /// Requests or events in a second.
    pub per_second: f64,
}

/// Latency at half of the saturated rate; waiting for a late answer counts (no coordinated omission).
#[derive(Debug, Clone, Copy, Serialize)]
pub struct HalfLoad {
    /// Requests sent in a second.
    pub per_second: f64,
    /// Events ingested and projected in the background meanwhile, a second.
    pub background_events_per_second: u64,
    /// Median, microseconds.
    pub p50_us: u64,
    /// 99th percentile, microseconds.
    pub p99_us: u64,
    /// 99.9th percentile, microseconds.
    pub p999_us: u64,
}

impl Measured {
    /// A rate without latencies.
    #[must_use]
    pub fn rate(per_second: f64) -> Self {
        Self { per_second, p50_us: None, p99_us: None, p999_us: None }
    }

    /// Requests of a load and how long they took.
    pub(super) fn requests(load: &Load) -> Self {
        Self {
            per_second: load.per_second(),
            p50_us: Some(load.percentile_us(50.0)),
            p99_us: Some(load.percentile_us(99.0)),
            p999_us: Some(load.percentile_us(99.9)),
        }
    }
}

impl Report {
    /// A report without latencies at half load.
    #[must_use]
    pub fn new(bench: &'static str, engine: String, target: f64, ours: Measured, limit: Limit) -> Self {
        let ratio = if limit.per_second > 0.0 { ours.per_second / limit.per_second } else { 0.0 };
        Self { bench, engine, ours, limit, ratio, target, half_load: None, details: serde_json::Map::new() }
    }

    /// The report with one more figure.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}
