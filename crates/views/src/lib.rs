//! The view-store port, its contract suite and its adapters.

pub mod port;

pub use port::*;
