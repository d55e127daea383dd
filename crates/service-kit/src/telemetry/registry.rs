//! Where metrics are registered and read.

use axum::response::{IntoResponse, Response};
use http::header;
use prometheus::{Registry, TextEncoder};

use crate::problem::Problem;

/// An empty registry but for the metrics of the process itself: memory, file descriptors, CPU time.
///
/// # Errors
/// When the platform's process metrics can't be registered.
pub fn new_registry() -> Result<Registry, prometheus::Error> {
    let registry = Registry::new();
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(registry)
}

/// All metrics as Prometheus text.
pub fn metrics_response(registry: &Registry) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => Problem::internal(format!("metrics can't be encoded: {error}")).into_response(),
    }
}
