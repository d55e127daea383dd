//! Health as a metric, so that alerts see what `/health` says.

use std::sync::Arc;

use prometheus::{
    IntGaugeVec, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::health::Health;

/// Asks when it is read.
struct HealthMetric {
    health: Arc<Health>,
    healthy: IntGaugeVec,
}

/// Registers the metric.
pub(super) fn register(health: &Arc<Health>, registry: &Registry) -> Result<(), prometheus::Error> {
    let help = "Whether a part is healthy (1) or not (0), as /health says it.";
    let healthy = IntGaugeVec::new(Opts::new("hindcast_healthy", help), &["part"])?;
    registry.register(Box::new(HealthMetric { health: Arc::clone(health), healthy }))
}

impl Collector for HealthMetric {
    fn desc(&self) -> Vec<&Desc> {
        self.healthy.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for (part, healthy) in self.health.parts() {
            self.healthy.with_label_values(&[part]).set(i64::from(healthy));
        }
        self.healthy.collect()
    }
}
