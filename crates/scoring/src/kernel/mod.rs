//! The model `kernel`: how did my own signals that looked like this one turn out?
//!
//! The latest closed trades of the same symbol and strategy are weighed by how close their features are to those of
//! the signal; their outcomes and the book's win rate as a Beta prior give the probability that the trade wins.
//! `docs/model.md` has the formulas and what was found out about each choice.

mod columns;
mod params;
mod prepared;

use hindcast_domain::Features;
use hindcast_fold::book::{Book, ClosedTrade};

use self::{columns::Columns, prepared::BaseRate};
pub use self::{params::KernelParams, prepared::PreparedKernel};
use crate::published::InvalidSetting;

/// The model `kernel`, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    params: KernelParams,
}

impl Kernel {
    /// A model with these parameters.
    ///
    /// # Errors
    /// When a parameter is out of its range.
    pub fn new(params: KernelParams) -> Result<Self, InvalidSetting> {
        params.check()?;
        Ok(Self { params })
    }

    /// Does all that does not depend on the signal: picks the trades, standardises their features, reckons the prior.
    #[must_use]
    pub fn prepare(&self, book: &Book, strategy: Option<&str>) -> PreparedKernel {
        let experiences = latest(book, strategy, usize::from(self.params.experiences));
        let features: Vec<Features> = experiences.iter().map(|trade| trade.features.get()).collect();
        let wins = experiences.iter().map(|trade| if trade.pnl_e9.0 > 0 { 1.0 } else { 0.0 }).collect();
        let base = BaseRate::of(
            book.taken.wins.saturating_add(book.simulated.wins),
            book.taken.trades.saturating_add(book.simulated.trades),
            self.params.even_odds_weight,
        );
        PreparedKernel::new(&self.params, Columns::of(&features), wins, base)
    }
}

/// The latest closed trades of a strategy, oldest first. A signal without strategy is compared with trades without.
fn latest<'b>(book: &'b Book, strategy: Option<&str>, at_most: usize) -> Vec<&'b ClosedTrade> {
    let mut trades: Vec<_> = book.trades_of(strategy).rev().take(at_most).collect();
    trades.reverse();
    trades
}
