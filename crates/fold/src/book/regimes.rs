//! How trades turned out by regime: the part of the day and the volatility in which they were entered.
//!
//! The classes are fixed by the generation's parameters ([`crate::generation::RegimeRule`]), not reckoned from what the
//! book holds: so a trade's regime depends on its signal alone, and a trade that is voided leaves no trace in how the
//! others are counted.

use hindcast_domain::MoneyE9;

use super::{Book, Totals};
use crate::counts;

/// Volatility at a signal: its ATR in parts per million of its price, beside two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// Below the lower bound.
    Low,
    /// From the lower bound to below the upper one.
    Middle,
    /// From the upper bound on.
    High,
    /// The signal had no ATR or no price, or the trade joined none.
    Unknown,
}

/// A part of the day and a volatility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Regime(u8);

/// How the trades of one regime turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegimeTotals {
    /// The regime.
    pub regime: Regime,
    /// Trades taken.
    pub taken: Totals,
    /// Trades followed on paper.
    pub simulated: Totals,
}

impl Volatility {
    /// All of them, by code.
    pub const ALL: [Self; 4] = [Self::Low, Self::Middle, Self::High, Self::Unknown];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Middle => "middle",
            Self::High => "high",
            Self::Unknown => "unknown",
        }
    }
}

impl Regime {
    /// Of a book that has no regimes.
    pub const NONE: Self = Self(u8::MAX);
    /// Parts of a day that there can be.
    pub const MAX_DAY_PARTS: usize = 16;

    /// `day_part` counts from 0 and is below [`Regime::MAX_DAY_PARTS`].
    pub(crate) fn new(day_part: u8, volatility: Volatility) -> Self {
        let volatility = match volatility {
            Volatility::Low => 0,
            Volatility::Middle => 1,
            Volatility::High => 2,
            Volatility::Unknown => 3,
        };
        Self(day_part << 2 | volatility)
    }

    pub(crate) fn code(self) -> u8 {
        self.0
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        (usize::from(code >> 2) < Self::MAX_DAY_PARTS).then_some(Self(code))
    }

    /// Which part of the day, in the order of the rule of the symbol.
    #[must_use]
    pub fn day_part(self) -> usize {
        usize::from(self.0 >> 2)
    }

    /// The volatility.
    #[must_use]
    pub fn volatility(self) -> Volatility {
        match self.0 & 3 {
            0 => Volatility::Low,
            1 => Volatility::Middle,
            2 => Volatility::High,
            _ => Volatility::Unknown,
        }
    }
}

impl RegimeTotals {
    fn of(&mut self, simulated: bool) -> &mut Totals {
        if simulated { &mut self.simulated } else { &mut self.taken }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken.trades == 0 && self.simulated.trades == 0
    }
}

impl Book {
    /// Counts a trade under its regime, if the book has regimes.
    pub(super) fn count_regime(&mut self, regime: Regime, simulated: bool, pnl_e9: MoneyE9) {
        if let Some(regimes) = &mut self.regimes {
            count(regimes, regime, simulated, pnl_e9);
        }
    }

    /// Counts all trades of the ring under their regimes.
    pub(super) fn count_ring_regimes(&mut self) {
        if let Some(regimes) = &mut self.regimes {
            for trade in &self.ring {
                count(regimes, trade.regime, trade.simulated, trade.pnl_e9);
            }
        }
    }

    /// Takes all trades of the ring out of their regimes, before they join other signals.
    pub(super) fn take_back_ring_regimes(&mut self) {
        let Some(regimes) = &mut self.regimes else { return };
        for trade in &self.ring {
            if let Some(totals) = regimes.iter_mut().find(|totals| totals.regime == trade.regime) {
                let of = totals.of(trade.simulated);
                counts::take_back(&mut of.trades, &mut of.wins, &mut of.pnl_e9, trade.pnl_e9);
            }
        }
        regimes.retain(|totals| !totals.is_empty());
    }
}

fn count(regimes: &mut Vec<RegimeTotals>, regime: Regime, simulated: bool, pnl_e9: MoneyE9) {
    let place = regimes.binary_search_by_key(&regime, |totals| totals.regime).unwrap_or_else(|place| {
        regimes.insert(place, RegimeTotals { regime, taken: Totals::default(), simulated: Totals::default() });
        place
    });
    if let Some(totals) = regimes.get_mut(place) {
        totals.of(simulated).count(pnl_e9);
    }
}
