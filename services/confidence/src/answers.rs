//! What the read side answers. Money is a JSON number here: the nearest float of the exact amount.

mod regimes;

use hindcast_domain::{MoneyE9, Position, Side};
use hindcast_fold::{
    book::{Book, ClosedTrade, Totals},
    generation::RegimeRule,
};
use hindcast_schemas::{Action, DecisionMade};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::regimes::RegimeAnswer;
use crate::times::rfc3339;

/// Place of a journal record, given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PositionAnswer {
    /// Raised by one each time a journal is restored.
    pub epoch: u8,
    /// Partition of the user.
    pub partition: u16,
    /// Offset within the partition.
    pub offset: u64,
}

impl From<Position> for PositionAnswer {
    fn from(position: Position) -> Self {
        Self { epoch: position.epoch, partition: position.partition, offset: position.offset }
    }
}

/// A model or policy by name and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelAnswer {
    /// Name.
    #[schema(examples("kernel"))]
    pub name: String,
    /// Version, from 1.
    pub version: u32,
}

/// What to do with the trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ActionAnswer {
    /// Take it.
    Take,
    /// Leave it.
    Skip,
}

impl From<Action> for ActionAnswer {
    fn from(action: Action) -> Self {
        match action {
            Action::Take => Self::Take,
            Action::Skip => Self::Skip,
        }
    }
}

/// How much confidence a signal deserves.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConfidenceAnswer {
    /// Id of the decision, derived from the user and the signal: send it with the closed trade.
    pub decision_id: Uuid,
    /// Id of the signal.
    pub event_id: Uuid,
    /// Probability that the trade wins.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub confidence: f64,
    /// Lower and upper end of the 90 % interval of the confidence.
    #[schema(min_items = 2, max_items = 2)]
    pub interval: [f64; 2],
    /// What the policy makes of it.
    pub action: ActionAnswer,
    /// 0 for a signal like many before, 1 for one unlike any.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub novelty: f64,
    /// The model that scored.
    pub model: ModelAnswer,
    /// The experiment it was part of.
    #[schema(required)]
    pub experiment: Option<String>,
    /// Closed trades that the model looked at.
    pub experiences: u32,
    /// Where the signal was recorded; null for a dry run.
    #[schema(required)]
    pub position: Option<PositionAnswer>,
    /// Durable records of the user's partition that the book did not cover yet.
    pub behind: u64,
}

impl ConfidenceAnswer {
    /// The answer that tells a decision.
    #[must_use]
    pub fn new(decision: &DecisionMade<'_>, position: Option<Position>, behind: u64) -> Self {
        Self {
            decision_id: decision.decision_id,
            event_id: decision.signal.event_id,
            confidence: decision.confidence,
            interval: [decision.interval_low, decision.interval_high],
            action: decision.action.into(),
            novelty: decision.novelty,
            model: ModelAnswer { name: decision.model.name.clone().into_owned(), version: decision.model.version },
            experiment: decision.experiment.clone().map(Into::into),
            experiences: decision.experiences,
            position: position.map(Into::into),
            behind,
        }
    }
}

/// A closed trade of a book.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TradeAnswer {
    /// Id of the trade.
    pub event_id: Uuid,
    /// When it was closed, by the client's clock.
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// LONG or SHORT.
    pub side: &'static str,
    /// The owner's bot.
    #[schema(required)]
    pub strategy: Option<String>,
    /// Price at entry.
    pub entry_price: f64,
    /// Profit or loss, USD.
    pub pnl: f64,
    /// Not taken, followed on paper.
    pub simulated: bool,
    /// The signal it was joined with.
    #[schema(required)]
    pub signal_id: Option<Uuid>,
    /// Where it was recorded.
    pub position: PositionAnswer,
}

impl TradeAnswer {
    fn new(book: &Book, trade: &ClosedTrade) -> Self {
        let strategy = trade.strategy.and_then(|index| book.strategies.name(index));
        Self {
            event_id: trade.event_id,
            occurred_at: rfc3339(trade.occurred_at),
            side: side_text(trade.features.side()),
            strategy: strategy.map(str::to_owned),
            entry_price: trade.entry_price_e9.to_f64(),
            pnl: trade.pnl_e9.to_f64(),
            simulated: trade.simulated,
            signal_id: trade.signal.as_ref().map(|signal| signal.event_id),
            position: trade.position.into(),
        }
    }
}

fn side_text(side: Side) -> &'static str {
    side.as_str()
}

/// What is known of the caller's trading in one symbol.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BookAnswer {
    /// The instrument.
    pub symbol: String,
    /// Closed trades that were taken.
    pub trades: u64,
    /// Those with a profit.
    pub wins: u64,
    /// `wins / trades`; null without trades.
    #[schema(required)]
    pub win_rate: Option<f64>,
    /// Sum of profits and losses, USD.
    pub total_pnl: f64,
    /// `total_pnl / trades`; null without trades.
    #[schema(required)]
    pub average_pnl: Option<f64>,
    /// Signals received.
    pub signals: u64,
    /// Signals that wait for their trade.
    pub signals_waiting: u64,
    /// Signals that were dropped because too many waited.
    pub signals_dropped: u64,
    /// Trades that joined a signal.
    pub trades_joined: u64,
    /// Outcomes of trades not taken: the model learns from them, totals of money don't count them.
    pub simulated_trades: u64,
    /// Those with a profit.
    pub simulated_wins: u64,
    /// Trades taken back.
    pub trades_voided: u64,
    /// Of these, such as were too old to be taken out of what the model looks at: only sums and counts were reversed.
    pub trades_voided_outside_ring: u64,
    /// Latest trades in a row with the same sign: positive wins, negative losses.
    pub streak: i64,
    /// How trades turned out by part of the day and volatility; null while books are folded without regimes.
    #[schema(required)]
    pub regimes: Option<Vec<RegimeAnswer>>,
    /// The latest closed trades, newest first.
    pub recent_trades: Vec<TradeAnswer>,
    /// Position of the last record that this covers; null when nothing of the caller's partition was projected.
    #[schema(required)]
    pub position: Option<PositionAnswer>,
    /// Durable records of the caller's partition that this does not cover yet.
    pub behind: u64,
}

impl BookAnswer {
    /// The answer that tells a book, with at most `recent` of its latest trades. `rules` are those of the regimes in the
    /// generation that the book is of.
    #[must_use]
    pub fn new(
        symbol: &str,
        book: &Book,
        rules: Option<&[RegimeRule]>,
        recent: usize,
        position: Option<Position>,
        behind: u64,
    ) -> Self {
        Self {
            symbol: symbol.to_owned(),
            trades: book.taken.trades,
            wins: book.taken.wins,
            win_rate: win_rate(&book.taken),
            total_pnl: usd(book.taken.pnl_e9),
            average_pnl: average_pnl(&book.taken),
            signals: book.signals,
            signals_waiting: book.waiting.len() as u64,
            signals_dropped: book.signals_dropped,
            trades_joined: book.joined,
            simulated_trades: book.simulated.trades,
            simulated_wins: book.simulated.wins,
            trades_voided: book.voided,
            trades_voided_outside_ring: book.voided_outside_ring,
            streak: book.streak(),
            regimes: regimes::of_book(symbol, book, rules),
            recent_trades: book.ring.iter().rev().take(recent).map(|trade| TradeAnswer::new(book, trade)).collect(),
            position: position.map(Into::into),
            behind,
        }
    }
}

/// The nearest float of an exact sum of money.
#[must_use]
#[allow(clippy::cast_precision_loss)] // nearest is what is asked for
pub fn usd(sum_e9: i128) -> f64 {
    i64::try_from(sum_e9).map_or(sum_e9 as f64 / 1e9, |units| MoneyE9(units).to_f64())
}

/// `wins / trades`, if there are trades.
#[must_use]
#[allow(clippy::cast_precision_loss)] // counts far below 2^53
pub fn win_rate(totals: &Totals) -> Option<f64> {
    (totals.trades > 0).then(|| totals.wins as f64 / totals.trades as f64)
}

/// `pnl / trades`, if there are trades.
#[must_use]
#[allow(clippy::cast_precision_loss)] // counts far below 2^53
pub fn average_pnl(totals: &Totals) -> Option<f64> {
    (totals.trades > 0).then(|| usd(totals.pnl_e9) / totals.trades as f64)
}
