//! Values that no event can have.
//!
//! Ingress refuses them before they reach a journal; what is found here was written by something else. The folds are
//! never stricter than ingress: an event that was acknowledged takes effect.

use hindcast_domain::{Symbol, UserId, void_event_id};
use hindcast_schemas::{Event, SignalReceived, TradeClosed, TradeVoided};

/// What is impossible about an event, for people; `None` when nothing is.
pub(crate) fn fault(event: &Event<'_>) -> Option<&'static str> {
    if !UserId::is_valid(event.user_id()) {
        return Some("its user is no user id");
    }
    if !Symbol::is_valid(event.symbol()) {
        return Some("its symbol is no symbol");
    }
    match event {
        Event::Signal(signal) => signal_fault(signal),
        Event::Trade(trade) => trade_fault(trade),
        Event::Void(void) => void_fault(void),
    }
}

fn signal_fault(signal: &SignalReceived<'_>) -> Option<&'static str> {
    if !signal.rsi.is_none_or(is_rsi) {
        return Some("its rsi is not between 0 and 100");
    }
    if signal.vwap_distance_abs_percent.is_some_and(|distance| distance < 0.0) {
        return Some("its distance from VWAP without sign is negative");
    }
    let numbers = [
        signal.vwap_distance_percent,
        signal.vwap_distance_abs_percent,
        signal.volume,
        signal.atr,
        signal.volume_ratio,
        signal.spread,
    ];
    let all_finite =
        numbers.into_iter().flatten().chain(signal.features.iter().map(|(_, value)| *value)).all(f64::is_finite);
    (!all_finite).then_some("one of its numbers is not finite")
}

fn trade_fault(trade: &TradeClosed<'_>) -> Option<&'static str> {
    if !trade.entry_rsi.is_none_or(is_rsi) || !trade.exit_rsi.is_none_or(is_rsi) {
        return Some("one of its rsi is not between 0 and 100");
    }
    (!trade.quantity.is_none_or(f64::is_finite)).then_some("its quantity is not finite")
}

fn void_fault(void: &TradeVoided<'_>) -> Option<&'static str> {
    // One id for all voids of a trade is what lets the admission count them once.
    let has_its_id = void.event_id == void_event_id(&void.user_id, void.trade_event_id);
    (!has_its_id).then_some("its id is not derived from its trade")
}

fn is_rsi(value: f64) -> bool {
    (0.0..=100.0).contains(&value)
}
