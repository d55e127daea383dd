//! Reads view rows through a bounded cache and waits until a position is projected.

mod boards;
pub mod follower;
pub mod journal_end;
pub mod progress;
mod projections;
pub mod rows;

pub use boards::Boards;
pub use progress::{NotYet, ProgressBoard};
pub use rows::{CachedRow, FromRow, ReadError, RowReader, RowReaderConfig, Source};
