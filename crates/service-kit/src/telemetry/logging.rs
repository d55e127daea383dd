//! Log lines.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use super::{LogFormat, TelemetryConfig};

/// Why logging can't start.
#[derive(Debug, thiserror::Error)]
#[error("logging can't start: {0}")]
pub struct LoggingError(String);

/// Starts writing log lines to standard error, which is where they don't get into the output of commands. Once a
/// process.
///
/// # Errors
/// When the filter is not one, or it was started before.
pub fn init(config: &TelemetryConfig) -> Result<(), LoggingError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| LoggingError(error.to_string()))?;
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match config.format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| LoggingError(error.to_string()))
}
