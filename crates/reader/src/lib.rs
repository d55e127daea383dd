//! Reads view rows through a bounded cache and waits until a position is projected.

pub mod follower;
pub mod progress;
mod projections;
pub mod rows;

pub use progress::{NotYet, ProgressBoard};
pub use rows::{CachedRow, FromRow, ReadError, RowReader, RowReaderConfig};
