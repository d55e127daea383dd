//! What the embedded log needs of a disk, small enough for tests to put another one under it.

pub(crate) mod fjall;
mod torn;

use crate::LogError;

/// Records of one partition, written together.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) slot: usize,
    pub(crate) last_offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Takes the offset of a chunk's last record and the chunk; answers whether to go on.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<bool, LogError>;

/// Chunks on a disk, ordered by offset in each slot.
pub(crate) trait Storage: Send + Sync + 'static {
    /// Writes all of the chunks, or none, and makes them durable before it returns. Only one thread calls this.
    ///
    /// # Errors
    /// After a failure nothing may be written until [`Storage::reopen`] succeeded. The outcome tells whether the chunks
    /// may be found after that.
    fn commit(&self, chunks: Vec<Chunk>) -> Result<(), LogError>;

    /// After a failure: opens anew whatever the failure may have left in doubt. On success everything that can be read
    /// is durable. Until then reads go on or fail as retryable.
    ///
    /// # Errors
    /// When the cause of the failure is still there. To be called again.
    fn reopen(&self) -> Result<(), LogError>;

    /// The offset of the last record of a slot, durable or not.
    ///
    /// # Errors
    /// When it can't be read at present.
    fn last_offset(&self, slot: usize) -> Result<Option<u64>, LogError>;

    /// Visits the chunks of a slot, durable or not, in order, beginning with the one that holds an offset.
    ///
    /// # Errors
    /// When they can't be read at present, and what the visitor returns.
    fn scan(&self, slot: usize, from_offset: u64, visit: Visit<'_>) -> Result<(), LogError>;
}
