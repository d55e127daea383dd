//! What one user did on one day.

use hindcast_domain::Position;

use crate::encoding::RowError;

/// What one user did on one day (UTC, by the client's time).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Position of the last record routed here.
    pub applied: Option<Position>,
    /// Signals received.
    pub signals: u64,
    /// Trades taken.
    pub trades: u64,
    /// Of these, those with a profit.
    pub wins: u64,
    /// Trades followed on paper.
    pub simulated: u64,
    /// Trades of this day that were taken back later.
    pub voided: u64,
    /// Sum of profits and losses of the trades taken, units of 1e-9 USD.
    pub pnl_e9: i128,
}

impl Activity {
    /// Position of the last record routed here.
    #[must_use]
    pub fn applied(&self) -> Option<Position> {
        self.applied
    }

    /// Appends the row.
    pub fn encode(&self, _into: &mut Vec<u8>) {
        todo!()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the bytes are no row of an activity.
    pub fn decode(_row: &[u8]) -> Result<Self, RowError> {
        todo!()
    }

    /// Bytes of memory it takes, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
    }
}
