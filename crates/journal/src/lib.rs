//! The log port, its contract suite and its adapters.

#[cfg(any(test, feature = "contract"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // it is made of tests
pub mod contract;
pub mod embedded;
#[cfg(any(test, feature = "contract"))]
pub mod faults;
mod layout;
#[cfg(any(test, feature = "contract"))]
pub mod memory;
pub mod port;

pub use port::*;
