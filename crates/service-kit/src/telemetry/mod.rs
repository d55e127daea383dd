//! What a process tells about itself: log lines, metrics, and the context of each request.

mod config;
mod context;
pub mod edge;
mod http_metrics;
mod line_limit;
mod logging;
mod registry;
mod traceparent;

pub use config::{LogFormat, TelemetryConfig};
pub use context::{RequestContext, RequestId};
pub use edge::Edge;
pub use logging::{LoggingError, init};
pub use registry::{metrics_response, new_registry};
