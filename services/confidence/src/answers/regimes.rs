//! What is told of the regimes of a book.

use hindcast_fold::{
    book::{Book, RegimeTotals},
    generation::{RegimeRule, rule_of},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{average_pnl, usd, win_rate};

/// How the trades that were entered in one part of the day and at one volatility turned out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RegimeAnswer {
    /// Part of the day in the time zone of the symbol's exchange.
    #[schema(examples("open"))]
    pub day_part: String,
    /// ATR of the signal in relation to its price: `low`, `middle`, `high`, or `unknown` without it.
    #[schema(examples("high"))]
    pub volatility: &'static str,
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
    /// Outcomes of trades not taken.
    pub simulated_trades: u64,
    /// Those with a profit.
    pub simulated_wins: u64,
}

/// The regimes of a symbol's book, by part of the day; `None` for a book that has none.
pub(super) fn of_book(symbol: &str, book: &Book, rules: Option<&[RegimeRule]>) -> Option<Vec<RegimeAnswer>> {
    let rule = rule_of(rules?, symbol)?;
    let regimes = book.regimes.as_deref().unwrap_or_default().iter();
    Some(regimes.map(|totals| RegimeAnswer::new(rule, totals)).collect())
}

impl RegimeAnswer {
    fn new(rule: &RegimeRule, totals: &RegimeTotals) -> Self {
        let RegimeTotals { regime, taken, simulated } = totals;
        let day_part = rule.day_parts.get(regime.day_part()).map(|part| part.name.clone());
        Self {
            day_part: day_part.unwrap_or_default(),
            volatility: regime.volatility().as_str(),
            trades: taken.trades,
            wins: taken.wins,
            win_rate: win_rate(taken),
            total_pnl: usd(taken.pnl_e9),
            average_pnl: average_pnl(taken),
            simulated_trades: simulated.trades,
            simulated_wins: simulated.wins,
        }
    }
}
