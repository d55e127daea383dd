//! Taking a trade back.
//!
//! A trade in the ring is taken back as if it had never been there. Its signal goes to the trade that would have
//! joined it then: the first later one that names it, or that would have taken it by price, which may give up another
//! signal for it, and so on; the signal that is left in the end waits again, at its place. So a trade that was reported
//! twice leaves its signal to the right report when the wrong one is voided.
//!
//! The book that results is the one without the trade, but for `applied`, `voided` and what was pushed out of bounds
//! meanwhile, which nothing can bring back:
//! - trades that the voided one pushed out of the ring stay out: the ring is short of its oldest trades;
//! - if signals were dropped since the trade, or would have been had its signal waited on, other ones may be waiting,
//!   and later trades may have joined other ones, than without the trade;
//! - if a later strategy came when [`MAX_STRATEGIES`](super::MAX_STRATEGIES) others were in use, or the trade's did, it
//!   may count as another one.
//!
//! A trade outside the ring is taken out of counts and sums, as its void describes it, and counted apart; its regime is
//! not known any more.

use hindcast_schemas::TradeVoided;

use super::{Book, BookRules, WaitingSignal, fold::size};
use crate::counts;

impl Book {
    pub(super) fn void(&mut self, rules: &BookRules, user: &str, void: &TradeVoided<'_>) {
        self.voided += 1;
        let place = self.ring.iter().rposition(|trade| trade.event_id == void.trade_event_id);
        if place.is_some() {
            self.take_back_ring_regimes();
        }
        let Some((place, trade)) = place.and_then(|place| Some((place, self.ring.remove(place)?))) else {
            self.voided_outside_ring += 1;
            let totals = self.totals(void.trade_simulated);
            counts::take_back(&mut totals.trades, &mut totals.wins, &mut totals.pnl_e9, void.trade_pnl_e9);
            return;
        };
        let totals = self.totals(trade.simulated);
        counts::take_back(&mut totals.trades, &mut totals.wins, &mut totals.pnl_e9, trade.pnl_e9);
        if let Some(signal) = trade.signal {
            self.joined = self.joined.saturating_sub(1);
            if let Some(left) = self.pass_on(user, place, signal.waiting(trade.features, trade.regime)) {
                let place = self.waiting.partition_point(|other| other.position.order() < left.position.order());
                self.waiting.insert(place, left);
            }
        }
        self.count_ring_regimes();
        self.release([trade.own_strategy, None]);
        self.drop_waiting_beyond(size(rules.waiting_signals));
    }

    /// Offers a signal to the trades from a place of the ring on; returns the signal that is left, if any.
    fn pass_on(&mut self, user: &str, from: usize, mut signal: WaitingSignal) -> Option<WaitingSignal> {
        for trade in self.ring.iter_mut().skip(from) {
            if let Some(by) = trade.would_have_joined(user, &mut signal) {
                match trade.rejoin(&signal, by) {
                    Some(before) => signal = before,
                    None => {
                        self.joined += 1;
                        return None;
                    }
                }
            }
        }
        Some(signal)
    }
}
