//! The log port, its contract suite and its adapters.

pub mod embedded;
#[cfg(any(test, feature = "contract"))]
pub mod memory;
pub mod port;

pub use port::*;
