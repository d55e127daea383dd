//! The read side: answers how much confidence a signal deserves and records every answer; tells a caller its own book,
//! activity and totals.

pub mod answers;
pub mod config;
pub mod decide;
mod routes;
pub mod scored_book;
mod serve_decision;
mod state;
mod times;

pub use config::ConfidenceConfig;
pub use routes::router;
pub use scored_book::ScoredBook;
pub use state::{ConfidencePorts, ConfidenceState};
