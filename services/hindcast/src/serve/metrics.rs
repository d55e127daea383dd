//! What the engine tells, as metrics that are brought up to date when somebody reads them.

use std::sync::Mutex;

use prometheus::{IntCounter, IntGauge, Registry, core::Collector};

use super::engine::{Engine, LogTold, ViewsTold};

/// The registry of a process and the metrics of its engine.
pub(super) struct EngineMetrics {
    registry: Registry,
    engine: Engine,
    /// Counters only rise, so what was told last is remembered.
    told: Mutex<Counters>,
    log_queue_records: IntGauge,
    log_queue_bytes: IntGauge,
    log_readers: IntGauge,
    views_disk_bytes: IntGauge,
    views_in_flight: IntGauge,
}

struct Counters {
    syncs: IntCounter,
    records: IntCounter,
    bytes: IntCounter,
    refused: IntCounter,
    failures: IntCounter,
    reopened: IntCounter,
}

impl EngineMetrics {
    pub(super) fn new(registry: Registry, engine: Engine) -> Result<Self, prometheus::Error> {
        let register = |metric: Box<dyn Collector>| registry.register(metric);
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(name, help)?;
            register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let told = Counters {
            syncs: counter("hindcast_log_syncs_total", "Groups of appends made durable, each by one sync.")?,
            records: counter("hindcast_log_records_total", "Records made durable.")?,
            bytes: counter("hindcast_log_bytes_total", "Bytes of keys and bodies made durable.")?,
            refused: counter(
                "hindcast_log_refused_total",
                "Appends refused because the queue was full or the log down.",
            )?,
            failures: counter("hindcast_log_failures_total", "Failed writes and syncs of the log.")?,
            reopened: counter(
                "hindcast_views_reopened_total",
                "Times the view store was reopened after a failed write.",
            )?,
        };
        let log_queue_records = gauge("hindcast_log_queue_records", "Records waiting to be written.")?;
        let log_queue_bytes = gauge("hindcast_log_queue_bytes", "Bytes waiting to be written.")?;
        let views_disk_bytes = gauge("hindcast_views_disk_bytes", "Space that the view store takes on disk.")?;
        let told = Mutex::new(told);
        let log_readers = gauge("hindcast_log_readers", "Consumers that Kafka is read with.")?;
        let views_in_flight = gauge("hindcast_views_in_flight_requests", "Rows asked of the CQL store or sent to it.")?;
        Ok(Self {
            registry,
            engine,
            told,
            log_queue_records,
            log_queue_bytes,
            log_readers,
            views_disk_bytes,
            views_in_flight,
        })
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Brings the engine's metrics up to date.
    pub(super) fn update(&self) {
        let told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let LogTold { stats: log, readers } = self.engine.log_told();
        raise(&told.syncs, log.syncs);
        raise(&told.records, log.records);
        raise(&told.bytes, log.bytes);
        raise(&told.refused, log.refused);
        raise(&told.failures, log.failures);
        set(&self.log_queue_records, log.queued_records);
        set(&self.log_queue_bytes, log.queued_bytes);
        set(&self.log_readers, readers);
        match self.engine.views_told() {
            ViewsTold::Embedded(views) => {
                raise(&told.reopened, views.reopened);
                set(&self.views_disk_bytes, views.disk_bytes);
            }
            ViewsTold::Cql(views) => set(&self.views_in_flight, views.in_flight as u64),
        }
    }
}

fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

fn set(gauge: &IntGauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
