//! The book of one user and symbol: what scoring reads.

use std::collections::VecDeque;

use hindcast_domain::{Features, MoneyE9, Position, TimestampUs};
use uuid::Uuid;

/// A closed trade with the features of the signal it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedTrade {
    /// Position of the trade's record.
    pub position: Position,
    /// The trade.
    pub event_id: Uuid,
    /// `occurred_at` of the trade.
    pub occurred_at: TimestampUs,
    /// Index into [`Book::strategies`]; `None` for a trade without a strategy.
    pub strategy: Option<u16>,
    /// Price at entry.
    pub entry_price_e9: MoneyE9,
    /// Profit or loss in USD.
    pub pnl_e9: MoneyE9,
    /// Not taken, followed on paper.
    pub simulated: bool,
    /// What a model sees of its signal; of the trade's own entry where it joined none.
    pub features: Features,
    /// The signal it joined, whole, so that voiding the trade can put it back.
    pub signal: Option<SignalRef>,
}

/// The signal that a trade joined.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalRef {
    /// Position of the signal's record.
    pub position: Position,
    /// The signal.
    pub event_id: Uuid,
    /// Its price.
    pub price_e9: Option<MoneyE9>,
}

/// A signal that no trade has joined yet.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingSignal {
    /// Position of the signal's record.
    pub position: Position,
    /// The signal.
    pub event_id: Uuid,
    /// Index into [`Book::strategies`].
    pub strategy: Option<u16>,
    /// Its price.
    pub price_e9: Option<MoneyE9>,
    /// What a model sees of it.
    pub features: Features,
}

/// Counts and sums of money of one side of the book: trades taken, or trades followed on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Closed trades.
    pub trades: u64,
    /// Those with a profit.
    pub wins: u64,
    /// Sum of profits and losses, exact.
    pub pnl_e9: i128,
}

/// What is known of a user's trading in one symbol.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    /// Position of the last record routed here.
    pub applied: Option<Position>,
    /// Signals received.
    pub signals: u64,
    /// Waiting signals dropped because too many waited.
    pub signals_dropped: u64,
    /// Trades that joined a signal.
    pub joined: u64,
    /// Trades taken.
    pub taken: Totals,
    /// Trades followed on paper.
    pub simulated: Totals,
    /// Trades taken back.
    pub voided: u64,
    /// Of these, trades that were no longer in the ring: only sums and counts could be reversed.
    pub voided_outside_ring: u64,
    /// Names of the strategies seen, in order of appearance.
    pub strategies: Vec<Box<str>>,
    /// The latest closed trades, oldest first.
    pub ring: VecDeque<ClosedTrade>,
    /// Signals that no trade has joined, oldest first.
    pub waiting: VecDeque<WaitingSignal>,
}
