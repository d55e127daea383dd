//! Recorded signals with their outcome.

use std::{collections::BTreeSet, io::BufRead};

use hindcast_domain::{MoneyE9, Side, Symbol};
use serde::Deserialize;

/// A signal and what became of it, as a line of JSON; further fields are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Experience {
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    #[serde(rename = "signal")]
    pub side: Side,
    /// Price at the signal, points.
    pub entry_price: f64,
    /// Relative strength index, 0 to 100.
    pub rsi: f64,
    /// Volume-weighted average price, points.
    pub vwap: f64,
    /// Distance from VWAP as a signed fraction of it: times 100 it is percent.
    pub vwap_distance: f64,
    /// Average true range, points.
    pub atr: f64,
    /// Volume as a multiple of its average.
    pub volume_ratio: f64,
    /// Hour of the market's day, 0 to 23. A line's `timestamp` is when it was written, so it tells no hour.
    pub hour: f64,
    /// Whether the trade was taken; if not, `pnl` is what it would have made.
    pub took_trade: bool,
    /// Profit or loss, USD.
    pub pnl: f64,
}

/// A line that is no experience.
#[derive(Debug, thiserror::Error)]
pub enum UnusableRow {
    /// The file can't be read on.
    #[error("line {line} can't be read: {source}")]
    Read {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: std::io::Error,
    },
    /// The line has not the fields of an experience.
    #[error("line {line} is no signal with its outcome: {source}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A price or a profit is no amount of money.
    #[error("line {line}: {field} {detail}")]
    Amount {
        /// The line, from 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

/// Reads JSON lines; empty lines are skipped.
///
/// # Errors
/// At the first line that is no experience.
pub fn read_experiences(lines: impl BufRead) -> Result<Vec<Experience>, UnusableRow> {
    let mut rows = Vec::new();
    for (index, text) in lines.lines().enumerate() {
        let line = index + 1;
        let text = text.map_err(|source| UnusableRow::Read { line, source })?;
        if text.trim().is_empty() {
            continue;
        }
        let row: Experience = serde_json::from_str(&text).map_err(|source| UnusableRow::Json { line, source })?;
        for (field, value) in [("entry_price", row.entry_price), ("vwap", row.vwap), ("pnl", row.pnl)] {
            MoneyE9::from_f64(value).map_err(|error| UnusableRow::Amount { line, field, detail: error.to_string() })?;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The rows without those that repeat an earlier one in RSI, distance from VWAP, ATR, side and price.
#[must_use]
pub fn first_occurrences(rows: &[Experience]) -> Vec<Experience> {
    // Adding zero makes the two zeros one.
    let bits = |value: f64| (value + 0.0).to_bits();
    let mut seen = BTreeSet::new();
    let is_new = |row: &&Experience| {
        let numbers = [row.rsi, row.vwap_distance, row.atr, row.entry_price].map(bits);
        seen.insert((row.symbol.clone(), row.side.as_str(), numbers))
    };
    rows.iter().filter(is_new).cloned().collect()
}

impl Experience {
    /// Whether the trade made a profit.
    #[must_use]
    pub fn won(&self) -> bool {
        self.pnl > 0.0
    }
}
