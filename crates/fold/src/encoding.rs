//! How states become bytes.

/// Why bytes are no row of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The row was written by a newer version.
    #[error("the row has encoding version {found}; this version reads up to {newest}")]
    UnknownVersion {
        /// Version of the row.
        found: u8,
        /// Newest version that can be read.
        newest: u8,
    },
    /// The bytes end within a value.
    #[error("the row ends within {0}")]
    Truncated(&'static str),
    /// A value can't be what it should be.
    #[error("the row has an impossible {0}")]
    Impossible(&'static str),
    /// Bytes follow the last value.
    #[error("the row has {0} bytes too many")]
    TooLong(usize),
}
