//! What a projector counts.

use hindcast_fold::admission::Unusable;
use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::dead_letters::OWNERLESS;

/// What a projector counts.
#[derive(Debug)]
pub struct ProjectorMetrics {
    pub(crate) lag_events: IntGaugeVec,
    pub(crate) lag_seconds: GaugeVec,
    pub(crate) records: IntCounter,
    pub(crate) rejected: IntCounterVec,
    pub(crate) rows: IntCounter,
    pub(crate) flush_seconds: Histogram,
    pub(crate) retries: IntCounter,
}

/// What metrics of a kind of projector are called.
struct Names {
    lag_events: (&'static str, &'static str),
    lag_seconds: (&'static str, &'static str),
    records: (&'static str, &'static str),
    rows: (&'static str, &'static str),
    flush_seconds: (&'static str, &'static str),
    retries: (&'static str, &'static str),
}

const LIVE: Names = Names {
    lag_events: (
        "hindcast_projection_lag_events",
        "Durable journal records not yet projected, by generation and partition.",
    ),
    lag_seconds: (
        "hindcast_projection_lag_seconds",
        "Age of the oldest record not yet projected, by generation and partition.",
    ),
    records: ("hindcast_projected_records_total", "Journal records folded."),
    rows: ("hindcast_view_rows_written_total", "View rows written."),
    flush_seconds: ("hindcast_projection_flush_seconds", "Time to write rows and progress."),
    retries: (
        "hindcast_projection_retries_total",
        "Times that the projector paused because the log, the store or a schema was not available.",
    ),
};

const BUILD: Names = Names {
    lag_events: ("hindcast_build_lag_events", "Durable journal records not yet built, by generation and partition."),
    lag_seconds: ("hindcast_build_lag_seconds", "Age of the oldest record not yet built, by generation and partition."),
    records: ("hindcast_built_records_total", "Journal records folded by a builder."),
    rows: ("hindcast_built_rows_written_total", "View rows written by a builder."),
    flush_seconds: ("hindcast_build_flush_seconds", "Time of a builder to write rows and progress."),
    retries: (
        "hindcast_build_retries_total",
        "Times that a builder paused because the log, the store or a schema was not available.",
    ),
};

impl ProjectorMetrics {
    /// Tells no lag of a partition any more: another process does.
    pub(crate) fn forget_lag(&self, generation: &str, partition: u16) {
        let name = partition.to_string();
        // A partition of which nothing was told yet has none to take back.
        let _ = self.lag_events.remove_label_values(&[generation, &name]);
        let _ = self.lag_seconds.remove_label_values(&[generation, &name]);
    }

    /// Registers the metrics of projectors that keep generations up.
    ///
    /// # Errors
    /// When one of their names is taken.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::new(&LIVE)?;
        registry.register(Box::new(metrics.rejected.clone()))?;
        metrics.registered(registry)
    }

    /// Registers the metrics of a builder, which has others: nobody is to be woken because a new generation lags.
    ///
    /// # Errors
    /// When one of their names is taken.
    pub fn register_build(registry: &Registry) -> Result<Self, prometheus::Error> {
        Self::new(&BUILD)?.registered(registry)
    }

    fn new(names: &Names) -> Result<Self, prometheus::Error> {
        let opts = |(name, help): (&str, &str)| Opts::new(name, help);
        let counter = |(name, help)| IntCounter::new(name, help);
        let labels = &["generation", "partition"];
        let (flush_name, flush_help) = names.flush_seconds;
        let metrics = Self {
            lag_events: IntGaugeVec::new(opts(names.lag_events), labels)?,
            lag_seconds: GaugeVec::new(opts(names.lag_seconds), labels)?,
            records: counter(names.records)?,
            rejected: IntCounterVec::new(
                Opts::new("hindcast_rejected_records_total", "Journal records that no fold could use, by reason."),
                &["reason"],
            )?,
            rows: counter(names.rows)?,
            flush_seconds: Histogram::with_opts(
                HistogramOpts::new(flush_name, flush_help).buckets(prometheus::exponential_buckets(0.000_5, 2.0, 14)?),
            )?,
            retries: counter(names.retries)?,
        };
        // A series that appears with the first rejection would show no rise to whoever watches for one.
        for reason in Unusable::ALL {
            metrics.rejected.with_label_values(&[reason.as_str()]);
        }
        metrics.rejected.with_label_values(&[OWNERLESS]);
        Ok(metrics)
    }

    fn registered(self, registry: &Registry) -> Result<Self, prometheus::Error> {
        registry.register(Box::new(self.lag_events.clone()))?;
        registry.register(Box::new(self.lag_seconds.clone()))?;
        registry.register(Box::new(self.records.clone()))?;
        registry.register(Box::new(self.rows.clone()))?;
        registry.register(Box::new(self.flush_seconds.clone()))?;
        registry.register(Box::new(self.retries.clone()))?;
        Ok(self)
    }
}
