//! How events change a book.

use hindcast_domain::{MoneyE9, Position};
use hindcast_schemas::{Event, SignalReceived, TradeClosed};

use super::{
    Book, BookRules, ClosedTrade, DecisionMemo, JoinedBy, OTHER_STRATEGY, Totals, WaitingSignal, join::Wish,
    own_features,
};

impl Book {
    /// Folds an event that the admission found fresh.
    pub(crate) fn fold(&mut self, rules: &BookRules, user: &str, event: &Event<'_>, position: Position) {
        self.applied = Some(position);
        if rules.regimes.is_some() {
            self.regimes.get_or_insert_default();
        }
        match event {
            Event::Signal(signal) => self.signal(rules, signal, position),
            Event::Trade(trade) => self.trade(rules, user, trade, position),
            Event::Void(void) => self.void(rules, user, void),
        }
    }

    fn signal(&mut self, rules: &BookRules, signal: &SignalReceived<'_>, position: Position) {
        self.signals += 1;
        self.drop_waiting_beyond(size(rules.waiting_signals).saturating_sub(1));
        let strategy = self.intern(signal.strategy.as_deref());
        self.waiting.push_back(WaitingSignal {
            position,
            event_id: signal.event_id,
            strategy,
            price_e9: signal.price_e9,
            features: rules.features.of(signal.model_features()).into(),
            regime: rules.regime(&signal.symbol, signal.occurred_at, signal.atr, signal.price_e9),
            decision: DecisionMemo::default(),
        });
    }

    fn trade(&mut self, rules: &BookRules, user: &str, trade: &TradeClosed<'_>, position: Position) {
        self.totals(trade.simulated).count(trade.pnl_e9);
        #[cfg(feature = "mistaken-fold")]
        if rules.is_mistaken && trade.pnl_e9 < MoneyE9::ZERO {
            self.totals(trade.simulated).wins += 1;
        }
        while self.ring.len() >= size(rules.ring_trades).max(1) {
            if let Some(oldest) = self.ring.pop_front() {
                self.release([oldest.own_strategy, oldest.signal.and_then(|signal| signal.strategy)]);
            }
        }
        let own_strategy = self.intern(trade.strategy.as_deref());
        let wish = Wish {
            user,
            decision_id: trade.decision_id,
            signal_id: trade.signal_id,
            side: trade.side,
            strategy: own_strategy,
            entry_price_e9: trade.entry_price_e9,
        };
        let found = wish.find(self);
        let joined = found.and_then(|(place, by)| self.waiting.remove(place).map(|signal| (signal, by)));
        let by = joined.as_ref().map(|(_, by)| *by);
        self.joined += u64::from(by.is_some());
        let entered_at = trade.entry_time.unwrap_or(trade.occurred_at);
        let regime = joined.as_ref().map_or_else(
            || rules.regime(&trade.symbol, entered_at, None, Some(trade.entry_price_e9)),
            |(signal, _)| signal.regime,
        );
        self.count_regime(regime, trade.simulated, trade.pnl_e9);
        self.ring.push_back(ClosedTrade {
            position,
            event_id: trade.event_id,
            occurred_at: trade.occurred_at,
            strategy: joined.as_ref().and_then(|(signal, _)| signal.strategy).or(own_strategy),
            own_strategy,
            entry_price_e9: trade.entry_price_e9,
            pnl_e9: trade.pnl_e9,
            simulated: trade.simulated,
            features: joined
                .as_ref()
                .map_or_else(|| rules.features.of(own_features::of_entry(trade)).into(), |(signal, _)| signal.features),
            regime,
            signal: joined.as_ref().map(|(signal, by)| signal.joined(*by)),
            missed_decision: trade.decision_id.filter(|_| by < Some(JoinedBy::Decision)),
            missed_signal: trade.signal_id.filter(|_| by < Some(JoinedBy::SignalId)),
        });
    }

    pub(super) fn totals(&mut self, simulated: bool) -> &mut Totals {
        if simulated { &mut self.simulated } else { &mut self.taken }
    }

    /// Drops the oldest waiting signals until at most `most` wait.
    pub(super) fn drop_waiting_beyond(&mut self, most: usize) {
        while self.waiting.len() > most {
            if let Some(oldest) = self.waiting.pop_front() {
                self.signals_dropped += 1;
                self.release([oldest.strategy, None]);
            }
        }
    }

    fn intern(&mut self, name: Option<&str>) -> Option<u16> {
        let interned = self.strategies.intern(name?);
        if interned.is_new {
            self.renumber(|index| if index >= interned.index { index + 1 } else { index });
        }
        Some(interned.index)
    }

    /// Takes back the references of a trade or a signal that has left the ring and the waiting.
    pub(super) fn release(&mut self, strategies: [Option<u16>; 2]) {
        let mut any_unused = false;
        for index in strategies.into_iter().flatten() {
            any_unused |= self.strategies.release(index);
        }
        while any_unused && let Some(removed) = self.strategies.remove_unused() {
            self.renumber(|index| if index > removed { index - 1 } else { index });
        }
    }

    fn renumber(&mut self, moved: impl Fn(u16) -> u16) {
        let renumber = |strategy: &mut Option<u16>| {
            if let Some(index) = strategy.as_mut().filter(|index| **index != OTHER_STRATEGY) {
                *index = moved(*index);
            }
        };
        for trade in &mut self.ring {
            renumber(&mut trade.strategy);
            renumber(&mut trade.own_strategy);
            if let Some(signal) = &mut trade.signal {
                renumber(&mut signal.strategy);
            }
        }
        for signal in &mut self.waiting {
            renumber(&mut signal.strategy);
        }
    }
}

impl Totals {
    pub(super) fn count(&mut self, pnl_e9: MoneyE9) {
        self.trades += 1;
        self.wins += u64::from(pnl_e9 > MoneyE9::ZERO);
        self.pnl_e9 += i128::from(pnl_e9.0);
    }
}

/// A parameter as a size; parameters are far below what any platform counts to.
pub(super) fn size(parameter: u32) -> usize {
    usize::try_from(parameter).unwrap_or(usize::MAX)
}
