//! What ingress counts.

use hindcast_domain::EventKind;
use hindcast_journal::Outcome;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, exponential_buckets};

/// What ingress counts.
#[derive(Debug)]
pub(crate) struct IngressMetrics {
    /// Time until appended events were durable.
    pub(crate) append_seconds: Histogram,
    accepted: ByKind,
    duplicates: ByKind,
    not_stored: IntCounter,
    unknown: IntCounter,
    pub(crate) items_refused: IntCounter,
    pub(crate) lookups: IntCounterVec,
    pub(crate) lookups_failed: IntCounter,
}

#[derive(Debug)]
struct ByKind {
    signal: IntCounter,
    trade: IntCounter,
    void: IntCounter,
}

impl ByKind {
    fn register(registry: &Registry, name: &str, help: &str) -> Result<Self, prometheus::Error> {
        let counts = IntCounterVec::new(Opts::new(name, help), &["type"])?;
        registry.register(Box::new(counts.clone()))?;
        Ok(Self {
            signal: counts.with_label_values(&["signal"]),
            trade: counts.with_label_values(&["trade"]),
            void: counts.with_label_values(&["void"]),
        })
    }

    fn of(&self, kind: EventKind) -> &IntCounter {
        match kind {
            EventKind::Signal => &self.signal,
            EventKind::Trade => &self.trade,
            EventKind::Void => &self.void,
        }
    }
}

impl IngressMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let failures = IntCounterVec::new(
            Opts::new(
                "hindcast_append_failures_total",
                "Appends of ingress that failed: surely not stored, as with a full queue, or with an unknown outcome.",
            ),
            &["outcome"],
        )?;
        let metrics = Self {
            append_seconds: Histogram::with_opts(
                HistogramOpts::new("hindcast_append_seconds", "Time until the events of a request were durable.")
                    .buckets(exponential_buckets(0.000_1, 2.0, 16)?),
            )?,
            accepted: ByKind::register(registry, "hindcast_events_accepted_total", "Events made durable, by type.")?,
            duplicates: ByKind::register(
                registry,
                "hindcast_events_known_total",
                "Events that had been taken in before and were not stored again, by type.",
            )?,
            not_stored: failures.with_label_values(&["none"]),
            unknown: failures.with_label_values(&["unknown"]),
            items_refused: IntCounter::new(
                "hindcast_batch_items_refused_total",
                "Items of batches that were refused.",
            )?,
            lookups: IntCounterVec::new(
                Opts::new(
                    "hindcast_ingress_row_lookups_total",
                    "Rows that ingress asked for, by projection and result.",
                ),
                &["projection", "result"],
            )?,
            lookups_failed: IntCounter::new(
                "hindcast_duplicate_lookups_failed_total",
                "Times that ingress could not look whether an event was sent before, and stored it.",
            )?,
        };
        registry.register(Box::new(failures))?;
        registry.register(Box::new(metrics.append_seconds.clone()))?;
        registry.register(Box::new(metrics.items_refused.clone()))?;
        registry.register(Box::new(metrics.lookups.clone()))?;
        registry.register(Box::new(metrics.lookups_failed.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn accepted(&self, signals: u64, trades: u64, voids: u64) {
        self.accepted.signal.inc_by(signals);
        self.accepted.trade.inc_by(trades);
        self.accepted.void.inc_by(voids);
    }

    pub(crate) fn duplicate(&self, kind: EventKind) {
        self.duplicates.of(kind).inc();
    }

    pub(crate) fn failed(&self, outcome: Outcome) {
        match outcome {
            Outcome::NotStored => self.not_stored.inc(),
            Outcome::Unknown => self.unknown.inc(),
        }
    }
}
