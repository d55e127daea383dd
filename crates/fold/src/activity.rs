//! What one user did on one day.

use hindcast_domain::{MoneyE9, Position};
use hindcast_schemas::Event;

use crate::{
    counts,
    encoding::{NO_POSITION, Put, Rest, RowError},
};

/// Version of the row's encoding.
const ROW_VERSION: u8 = 1;

/// What one user did on one day (UTC, by the client's time).
///
/// The day of a trade is that of its `occurred_at`. Taking a trade back changes the day of the trade, whenever it
/// happens, so that the days add up to what the books say.
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
    /// Trades of this day that were taken back.
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

    /// Folds an event that the admission found fresh.
    pub(crate) fn fold(&mut self, event: &Event<'_>, position: Position) {
        self.applied = Some(position);
        match event {
            Event::Signal(_) => self.signals += 1,
            Event::Trade(trade) if trade.simulated => self.simulated += 1,
            Event::Trade(trade) => {
                self.trades += 1;
                self.wins += u64::from(trade.pnl_e9 > MoneyE9::ZERO);
                self.pnl_e9 += i128::from(trade.pnl_e9.0);
            }
            Event::Void(void) => {
                self.voided += 1;
                if void.trade_simulated {
                    self.simulated = self.simulated.saturating_sub(1);
                } else {
                    counts::take_back(&mut self.trades, &mut self.wins, &mut self.pnl_e9, void.trade_pnl_e9);
                }
            }
        }
    }

    /// Appends the row.
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.byte(ROW_VERSION);
        into.applied(&mut NO_POSITION.clone(), self.applied);
        for count in [self.signals, self.trades, self.wins, self.simulated, self.voided] {
            into.varint(count);
        }
        into.sum(self.pnl_e9);
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the bytes are no row of an activity.
    pub fn decode(row: &[u8]) -> Result<Self, RowError> {
        let mut rest = Rest::of_row(row, ROW_VERSION)?;
        let activity = Self::take(&mut rest).ok_or(RowError::Damaged("counts"))?;
        rest.end()?;
        Ok(activity)
    }

    fn take(rest: &mut Rest<'_>) -> Option<Self> {
        Some(Self {
            applied: rest.applied(&mut NO_POSITION.clone())?,
            signals: rest.tally()?,
            trades: rest.tally()?,
            wins: rest.tally()?,
            simulated: rest.tally()?,
            voided: rest.tally()?,
            pnl_e9: rest.sum()?,
        })
    }

    /// Bytes of memory it takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
    }
}
