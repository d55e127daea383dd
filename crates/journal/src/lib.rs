//! The log port, its contract suite and its adapters.

pub mod port;

pub use port::*;
