//! Which waiting signal a trade came from.

use hindcast_domain::{MoneyE9, Side, decision_id};
use uuid::Uuid;

use super::{Book, ClosedTrade, KeptFeatures, OTHER_STRATEGY, Regime, SignalRef, WaitingSignal};

/// What led from a trade to its signal, the surest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JoinedBy {
    /// The newest waiting signal of the trade's side, strategy and entry price.
    Price,
    /// The trade names the signal.
    SignalId,
    /// The trade names the signal's decision.
    Decision,
}

/// The decision of a signal, once it was derived: deriving it takes longer than all else in a fold.
///
/// Not part of a state: it is never encoded, and equals any other.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecisionMemo(Option<Uuid>);

impl PartialEq for DecisionMemo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a trade says of its signal.
pub(super) struct Wish<'a> {
    pub(super) user: &'a str,
    pub(super) decision_id: Option<Uuid>,
    pub(super) signal_id: Option<Uuid>,
    pub(super) side: Side,
    pub(super) strategy: Option<u16>,
    pub(super) entry_price_e9: MoneyE9,
}

impl Wish<'_> {
    /// Place among the waiting of the signal that a trade joins: by decision, else by id, else by price.
    pub(super) fn find(&self, book: &mut Book) -> Option<(usize, JoinedBy)> {
        let by_decision = self.decision_id.and_then(|decision| self.find_decision(book, decision));
        let by_id = || {
            let signal_id = self.signal_id?;
            book.waiting.iter().rposition(|signal| signal.event_id == signal_id)
        };
        let by_price = || book.waiting.iter().rposition(|signal| self.fits_price(signal));
        by_decision
            .map(|place| (place, JoinedBy::Decision))
            .or_else(|| by_id().map(|place| (place, JoinedBy::SignalId)))
            .or_else(|| by_price().map(|place| (place, JoinedBy::Price)))
    }

    fn find_decision(&self, book: &mut Book, decision: Uuid) -> Option<usize> {
        // A client that knows the decision mostly knows the signal: then one derivation is enough.
        if let Some(signal_id) = self.signal_id
            && decision_id(self.user, signal_id) == decision
        {
            return book.waiting.iter().rposition(|signal| signal.event_id == signal_id);
        }
        let mut newest_first = book.waiting.iter_mut().enumerate().rev();
        newest_first.find_map(|(place, signal)| (signal.decision_id(self.user) == decision).then_some(place))
    }

    fn fits_price(&self, signal: &WaitingSignal) -> bool {
        signal.price_e9 == Some(self.entry_price_e9)
            && signal.features.side() == self.side
            && signal.strategy == self.strategy
            && signal.strategy != Some(OTHER_STRATEGY)
    }
}

impl WaitingSignal {
    /// The id of the decision on the signal.
    pub(super) fn decision_id(&mut self, user: &str) -> Uuid {
        *self.decision.0.get_or_insert_with(|| decision_id(user, self.event_id))
    }

    /// The signal as a trade refers to it.
    pub(super) fn joined(&self, joined_by: JoinedBy) -> SignalRef {
        let Self { position, event_id, strategy, price_e9, .. } = *self;
        SignalRef { position, event_id, strategy, price_e9, joined_by }
    }
}

impl SignalRef {
    /// The signal as it waited.
    pub(super) fn waiting(&self, features: KeptFeatures, regime: Regime) -> WaitingSignal {
        let Self { position, event_id, strategy, price_e9, .. } = *self;
        WaitingSignal { position, event_id, strategy, price_e9, features, regime, decision: DecisionMemo::default() }
    }
}

impl ClosedTrade {
    /// How the trade would have joined a signal that was not to be had when it was folded; `None` if it would not, or
    /// joined a better one.
    pub(super) fn would_have_joined(&self, user: &str, signal: &mut WaitingSignal) -> Option<JoinedBy> {
        let joined = self.signal.as_ref();
        if self.missed_decision.is_some_and(|missed| signal.decision_id(user) == missed) {
            return Some(JoinedBy::Decision);
        }
        if self.missed_signal == Some(signal.event_id) {
            return Some(JoinedBy::SignalId);
        }
        // A trade that joined nothing or by price has the side and the strategy that its features and it name.
        let wish = Wish {
            user,
            decision_id: None,
            signal_id: None,
            side: self.features.side(),
            strategy: self.own_strategy,
            entry_price_e9: self.entry_price_e9,
        };
        let is_better = match joined {
            None => true,
            Some(joined) => joined.joined_by == JoinedBy::Price && joined.position.order() < signal.position.order(),
        };
        (is_better && wish.fits_price(signal)).then_some(JoinedBy::Price)
    }

    /// Joins a signal in place of the one it had, which is returned.
    pub(super) fn rejoin(&mut self, signal: &WaitingSignal, joined_by: JoinedBy) -> Option<WaitingSignal> {
        let before = self.signal.replace(signal.joined(joined_by));
        let before = before.map(|before| before.waiting(self.features, self.regime));
        self.features = signal.features;
        self.regime = signal.regime;
        self.strategy = signal.strategy.or(self.own_strategy);
        if joined_by >= JoinedBy::SignalId {
            self.missed_signal = None;
        }
        if joined_by >= JoinedBy::Decision {
            self.missed_decision = None;
        }
        before
    }
}
