//! What a projector counts.

use hindcast_fold::admission::Unusable;
use hindcast_journal::LogIdentity;
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

impl ProjectorMetrics {
    /// Tells no lag of a partition any more: another process does.
    pub(crate) fn forget_lag(&self, partition: u16) {
        let name = partition.to_string();
        // A partition of which nothing was told yet has none to take back.
        let _ = self.lag_events.remove_label_values(&[&name]);
        let _ = self.lag_seconds.remove_label_values(&[&name]);
    }

    /// Registers the metrics.
    ///
    /// # Errors
    /// When one of their names is taken.
    pub fn register(registry: &Registry, identity: &LogIdentity) -> Result<Self, prometheus::Error> {
        let partition = &["partition"];
        let metrics = Self {
            lag_events: IntGaugeVec::new(
                Opts::new("hindcast_projection_lag_events", "Durable journal records not yet projected, by partition."),
                partition,
            )?,
            lag_seconds: GaugeVec::new(
                Opts::new(
                    "hindcast_projection_lag_seconds",
                    "Age of the oldest record not yet projected, by partition.",
                ),
                partition,
            )?,
            records: IntCounter::new("hindcast_projected_records_total", "Journal records folded.")?,
            rejected: IntCounterVec::new(
                Opts::new("hindcast_rejected_records_total", "Journal records that no fold could use, by reason."),
                &["reason"],
            )?,
            rows: IntCounter::new("hindcast_view_rows_written_total", "View rows written.")?,
            flush_seconds: Histogram::with_opts(
                HistogramOpts::new("hindcast_projection_flush_seconds", "Time to write rows and progress.")
                    .buckets(prometheus::exponential_buckets(0.000_5, 2.0, 14)?),
            )?,
            retries: IntCounter::new(
                "hindcast_projection_retries_total",
                "Times that the projector paused because the log, the store or a schema was not available.",
            )?,
        };
        registry.register(Box::new(metrics.lag_events.clone()))?;
        registry.register(Box::new(metrics.lag_seconds.clone()))?;
        registry.register(Box::new(metrics.records.clone()))?;
        registry.register(Box::new(metrics.rejected.clone()))?;
        registry.register(Box::new(metrics.rows.clone()))?;
        registry.register(Box::new(metrics.flush_seconds.clone()))?;
        registry.register(Box::new(metrics.retries.clone()))?;
        for partition in 0..identity.partitions {
            let name = partition.to_string();
            metrics.lag_events.with_label_values(&[&name]).set(0);
            metrics.lag_seconds.with_label_values(&[&name]).set(0.0);
        }
        // A series that appears with the first rejection would show no rise to whoever watches for one.
        for reason in Unusable::ALL {
            metrics.rejected.with_label_values(&[reason.as_str()]);
        }
        metrics.rejected.with_label_values(&[OWNERLESS]);
        Ok(metrics)
    }
}
