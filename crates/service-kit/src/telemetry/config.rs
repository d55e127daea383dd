//! What can be set about logs.

use serde::{Deserialize, Serialize};

use crate::config::{Faults, Validate};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// What can be set about logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// How log lines look.
    pub format: LogFormat,
    /// What is logged, in the syntax of `tracing` filters, for example `info` or `info,hindcast_journal=debug`.
    pub filter: String,
    /// Whether every request is logged. Off, because it costs more than answering one; problems are logged anyway.
    pub access_log: bool,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: "info".to_owned(), access_log: false }
    }
}

impl Validate for TelemetryConfig {
    fn validate(&self, faults: &mut Faults) {
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.filter) {
            faults.push("filter", error);
        }
    }
}
