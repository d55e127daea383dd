//! The write side: takes signals, trades and corrections over HTTP and appends them to the journal.
//!
//! A request is read and validated by `hindcast-bodies`, becomes events of the credential's user, and passes
//! `intake`: events that are known already are told apart as far as that can be known at the moment, the others are
//! appended together. The answer comes when they are durable. Whether an event counts is not decided here but by the
//! fold: storing one twice is harmless.

mod answers;
mod before;
mod config;
mod intake;
mod journal;
mod metrics;
mod optional_body;
mod problems;
mod recent;
mod routes;
mod rows;
mod state;
mod totals;
mod trade_search;

pub use config::IngressConfig;
pub use routes::router;
pub use state::{IngressPorts, IngressState, StartError};
