//! The log port, its contract suite and its adapters.

#[cfg(any(test, feature = "contract"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // it is made of tests
pub mod contract;
pub mod embedded;
mod ends;
#[cfg(any(test, feature = "contract"))]
pub mod faults;
pub mod kafka;
mod layout;
pub mod membership;
#[cfg(any(test, feature = "contract"))]
pub mod memory;
pub mod port;
mod wait;

pub use port::*;
