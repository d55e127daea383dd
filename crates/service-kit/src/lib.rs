//! What every service shares: configuration, telemetry, credentials, limits, problem+json and shutdown.
//!
//! A request passes [`server::serve`] (connections), the edge ([`telemetry::edge`]: request id, span, metrics, panics,
//! problems rendered), then the [`auth::Caller`] extractor (credentials, rate limits) and [`body`] (type, size, time).

pub mod answer;
pub mod auth;
pub mod body;
pub mod clock;
pub mod config;
pub mod headers;
mod lingering;
pub mod params;
pub mod problem;
pub mod server;
pub mod shutdown;
pub mod telemetry;
mod unread;
