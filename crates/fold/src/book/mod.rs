//! The book of one user and symbol: what scoring reads.
//!
//! Fresh events of the user and symbol are routed here, and nothing else: a duplicate or an unusable record does not
//! move `applied`.

mod feature_set;
mod fold;
mod join;
mod kept_features;
mod own_features;
mod regimes;
mod row;
pub(crate) mod rules;
mod strategies;
mod void;

use std::collections::VecDeque;

use hindcast_domain::{MoneyE9, Position, TimestampUs};
use uuid::Uuid;

pub use self::{
    feature_set::FeatureSet,
    join::{DecisionMemo, JoinedBy},
    kept_features::KeptFeatures,
    regimes::{Regime, RegimeTotals, Volatility},
    rules::{BookRules, RegimeRules},
    strategies::{MAX_STRATEGIES, MAX_STRATEGY_BYTES, OTHER_STRATEGY, Strategies},
};

/// How many of the latest trades taken make up the recent profit or loss.
pub const RECENT_TRADES: usize = 5;

/// A closed trade with the features of the signal it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedTrade {
    /// Position of the trade's record.
    pub position: Position,
    /// The trade.
    pub event_id: Uuid,
    /// `occurred_at` of the trade.
    pub occurred_at: TimestampUs,
    /// Index into [`Book::strategies`] of the signal's strategy, else of its own; `None` without any.
    pub strategy: Option<u16>,
    /// Index into [`Book::strategies`] of the strategy that the trade itself names.
    pub own_strategy: Option<u16>,
    /// Price at entry.
    pub entry_price_e9: MoneyE9,
    /// Profit or loss in USD.
    pub pnl_e9: MoneyE9,
    /// Not taken, followed on paper.
    pub simulated: bool,
    /// What a model sees of its signal; of the trade's own entry where it joined none.
    pub features: KeptFeatures,
    /// When and in which volatility it was entered; [`Regime::NONE`] in version 1.
    pub regime: Regime,
    /// The signal it joined, whole (but for the features, above), so that voiding the trade can put it back.
    pub signal: Option<SignalRef>,
    /// The decision that the trade names, if no waiting signal had it.
    pub missed_decision: Option<Uuid>,
    /// The signal that the trade names, if it was not waiting (and not joined by decision).
    pub missed_signal: Option<Uuid>,
}

/// The signal that a trade joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalRef {
    /// Position of the signal's record.
    pub position: Position,
    /// The signal.
    pub event_id: Uuid,
    /// Index into [`Book::strategies`] of the signal's strategy.
    pub strategy: Option<u16>,
    /// Its price.
    pub price_e9: Option<MoneyE9>,
    /// What led from the trade to it.
    pub joined_by: JoinedBy,
}

/// A signal that no trade has joined yet.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    pub features: KeptFeatures,
    /// When and in which volatility it came; [`Regime::NONE`] in version 1.
    pub regime: Regime,
    /// Its decision, once somebody asked for it.
    pub decision: DecisionMemo,
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
    /// Trades that joined a signal. A trade voided outside the ring stays counted: nobody knows whether it had.
    pub joined: u64,
    /// Trades taken.
    pub taken: Totals,
    /// Trades followed on paper.
    pub simulated: Totals,
    /// Trades taken back.
    pub voided: u64,
    /// Of these, trades that were no longer in the ring: only sums and counts could be reversed.
    pub voided_outside_ring: u64,
    /// Trades by regime, in the order of the regimes, without those that have none; `None` in version 1. A trade that
    /// left the ring stays counted under its regime, also when it is voided after that: nobody knows its regime then.
    pub regimes: Option<Vec<RegimeTotals>>,
    /// Names of the strategies of the trades and signals below.
    pub strategies: Strategies,
    /// The latest closed trades, oldest first.
    pub ring: VecDeque<ClosedTrade>,
    /// Signals that no trade has joined, oldest first.
    pub waiting: VecDeque<WaitingSignal>,
}

impl Book {
    /// Position of the last record routed here.
    #[must_use]
    pub fn applied(&self) -> Option<Position> {
        self.applied
    }

    /// The trades of the ring that belong to a strategy, or to none, oldest first.
    pub fn trades_of(&self, strategy: Option<&str>) -> impl DoubleEndedIterator<Item = &ClosedTrade> {
        let wanted = strategy.map(|name| self.strategies.index_of(name));
        self.ring.iter().filter(move |trade| match wanted {
            None => trade.strategy.is_none(),
            Some(index) => index.is_some() && trade.strategy == index,
        })
    }

    /// Number of the latest trades taken that all won (positive) or all did not (negative), within the ring.
    #[must_use]
    pub fn streak(&self) -> i64 {
        let mut outcomes = self.taken_latest_first().map(ClosedTrade::is_win);
        let Some(latest) = outcomes.next() else { return 0 };
        let length = 1 + outcomes.take_while(|outcome| *outcome == latest).count();
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        if latest { length } else { -length }
    }

    /// Profit or loss of the latest [`RECENT_TRADES`] trades taken, units of 1e-9 USD.
    #[must_use]
    pub fn recent_pnl_e9(&self) -> i128 {
        self.taken_latest_first().take(RECENT_TRADES).map(|trade| i128::from(trade.pnl_e9.0)).sum()
    }

    /// Share of the trades taken that won; `None` without trades.
    #[must_use]
    pub fn win_rate(&self) -> Option<f64> {
        self.taken.win_rate()
    }

    fn taken_latest_first(&self) -> impl Iterator<Item = &ClosedTrade> {
        self.ring.iter().rev().filter(|trade| !trade.simulated)
    }

    /// Bytes of memory it takes, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.ring.capacity() * size_of::<ClosedTrade>()
            + self.waiting.capacity() * size_of::<WaitingSignal>()
            + self.regimes.as_ref().map_or(0, |regimes| regimes.capacity() * size_of::<RegimeTotals>())
            + self.strategies.heap_bytes()
    }
}

impl ClosedTrade {
    /// Whether it made a profit.
    #[must_use]
    pub fn is_win(&self) -> bool {
        self.pnl_e9 > MoneyE9::ZERO
    }
}

impl Totals {
    /// Share of the trades that won; `None` without trades.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // exact up to 2^53 trades
    pub fn win_rate(&self) -> Option<f64> {
        (self.trades > 0).then(|| self.wins as f64 / self.trades as f64)
    }
}
