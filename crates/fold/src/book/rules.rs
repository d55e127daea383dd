//! What a fold of books does, made from a generation's parameters.

use std::{collections::BTreeMap, sync::Arc};

use hindcast_domain::{MoneyE9, TimestampUs};
use jiff::{Timestamp, tz::TimeZone};

use super::{FeatureSet, Regime, Volatility};
use crate::generation::BookParams;

/// Parameters of a fold of books, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct BookRules {
    /// How many of the latest closed trades are kept.
    pub ring_trades: u32,
    /// How many signals may wait for their trade.
    pub waiting_signals: u32,
    /// What is kept of a signal.
    pub features: FeatureSet,
    /// How regimes are told apart; `None` in version 1, whose books have none.
    pub regimes: Option<Arc<RegimeRules>>,
    /// Losses count as wins.
    #[cfg(feature = "mistaken-fold")]
    pub is_mistaken: bool,
}

/// How the regimes of all symbols are told apart.
#[derive(Debug, PartialEq)]
pub struct RegimeRules {
    pub(crate) by_symbol: BTreeMap<Box<str>, Arc<SymbolRegimes>>,
    pub(crate) others: Arc<SymbolRegimes>,
}

/// How the regimes of a symbol are told apart.
#[derive(Debug, PartialEq)]
pub(crate) struct SymbolRegimes {
    pub(crate) zone: TimeZone,
    /// Minute of the local day at which each part of it begins, rising. The last part goes on after midnight.
    pub(crate) starts_minutes: Vec<u16>,
    /// Bounds of the middle volatility, ATR in parts per million of the price.
    pub(crate) atr_ppm_bounds: [f64; 2],
}

impl Default for BookRules {
    /// Of version 1, with its default parameters.
    fn default() -> Self {
        let BookParams { ring_trades, waiting_signals, .. } = BookParams::default();
        Self::first(ring_trades, waiting_signals)
    }
}

impl BookRules {
    /// Rules of version 1.
    #[must_use]
    pub fn first(ring_trades: u32, waiting_signals: u32) -> Self {
        Self {
            ring_trades,
            waiting_signals,
            features: FeatureSet::FIRST,
            regimes: None,
            #[cfg(feature = "mistaken-fold")]
            is_mistaken: false,
        }
    }

    /// The regime of a trade that was entered, or of a signal that came, at a time.
    pub(crate) fn regime(&self, symbol: &str, at: TimestampUs, atr: Option<f64>, price: Option<MoneyE9>) -> Regime {
        self.regimes.as_ref().map_or(Regime::NONE, |rules| rules.of(symbol).regime(at, atr, price))
    }
}

impl RegimeRules {
    fn of(&self, symbol: &str) -> &SymbolRegimes {
        self.by_symbol.get(symbol).unwrap_or(&self.others)
    }
}

impl SymbolRegimes {
    fn regime(&self, at: TimestampUs, atr: Option<f64>, price: Option<MoneyE9>) -> Regime {
        let minute = self.local_minute(at);
        let parts_begun = self.starts_minutes.partition_point(|start| *start <= minute);
        // Before the first part begins, the last one of the day before goes on.
        let part = parts_begun.checked_sub(1).unwrap_or(self.starts_minutes.len().saturating_sub(1));
        Regime::new(u8::try_from(part).unwrap_or(0), self.volatility(atr, price))
    }

    /// Minute of the day in the exchange's zone. Where the calendar ends, thousands of years away, it is that of UTC.
    fn local_minute(&self, at: TimestampUs) -> u16 {
        const DAY_S: i64 = 86_400;
        let offset_s = Timestamp::from_microsecond(at.0).map_or(0, |at| self.zone.to_offset(at).seconds());
        let local_s = at.0.div_euclid(1_000_000).rem_euclid(DAY_S) + i64::from(offset_s);
        u16::try_from(local_s.rem_euclid(DAY_S) / 60).unwrap_or(0)
    }

    fn volatility(&self, atr: Option<f64>, price: Option<MoneyE9>) -> Volatility {
        let (Some(atr), Some(price)) = (atr, price.filter(|price| *price > MoneyE9::ZERO)) else {
            return Volatility::Unknown;
        };
        let [low, high] = self.atr_ppm_bounds;
        match atr / price.to_f64() * 1e6 {
            ppm if ppm < low => Volatility::Low,
            ppm if ppm < high => Volatility::Middle,
            _ => Volatility::High,
        }
    }
}
