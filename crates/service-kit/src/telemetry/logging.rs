//! Log lines.

use super::TelemetryConfig;

/// Why logging can't start.
#[derive(Debug, thiserror::Error)]
#[error("logging can't start: {0}")]
pub struct LoggingError(String);

/// Starts writing log lines to standard error. Once a process.
///
/// # Errors
/// When the filter is not one, or it was started before.
pub fn init(_config: &TelemetryConfig) -> Result<(), LoggingError> {
    todo!()
}
