//! The view-store port, its contract suite and its adapters.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod cql;
pub mod embedded;
mod encoding;
#[cfg(any(test, feature = "contract"))]
pub mod faults;
#[cfg(any(test, feature = "contract"))]
pub mod memory;
pub mod port;

pub use port::*;
