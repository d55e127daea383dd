//! Events made by hand. What a scenario doesn't mention has the value that most events of a test have.

use std::borrow::Cow;

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs, decision_id, void_event_id};
use hindcast_schemas::{
    Event,
    events::{ImportPlace, SignalReceived, TradeClosed, TradeVoided},
};
use uuid::Uuid;

pub(crate) const USER: &str = "trader-1";
pub(crate) const SYMBOL: &str = "ES";
/// 2025-11-13T14:30:00Z, in the fifteenth hour of its day.
pub(crate) const NOON_ISH: TimestampUs = TimestampUs(1_763_044_200_000_000);
pub(crate) const TODAY: i32 = 20_405;

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn dollars(amount: f64) -> MoneyE9 {
    MoneyE9::from_f64(amount).expect("an amount")
}

/// A long signal at 6500 with RSI 28.
pub(crate) fn signal(number: u128) -> SignalReceived<'static> {
    SignalReceived {
        event_id: id(number),
        user_id: USER.into(),
        symbol: SYMBOL.into(),
        strategy: None,
        occurred_at: NOON_ISH,
        received_at: NOON_ISH,
        import: None,
        side: Side::Long,
        price_e9: Some(dollars(6_500.0)),
        rsi: Some(28.0),
        vwap_e9: None,
        vwap_distance_percent: None,
        vwap_distance_abs_percent: Some(0.13),
        volume: None,
        atr: Some(1.5),
        volume_ratio: Some(2.0),
        features: Vec::new(),
        spread: None,
        session: None,
    }
}

/// A long trade entered at 6500 that won 50 dollars.
pub(crate) fn trade(number: u128) -> TradeClosed<'static> {
    TradeClosed {
        event_id: id(number),
        user_id: USER.into(),
        symbol: SYMBOL.into(),
        strategy: None,
        occurred_at: NOON_ISH,
        received_at: NOON_ISH,
        import: None,
        signal_id: None,
        decision_id: None,
        side: Side::Long,
        quantity: Some(1.0),
        entry_price_e9: dollars(6_500.0),
        exit_price_e9: dollars(6_501.0),
        pnl_e9: dollars(50.0),
        entry_time: None,
        exit_time: None,
        entry_vwap_e9: None,
        entry_rsi: None,
        exit_vwap_e9: None,
        exit_rsi: None,
        exit_reason: None,
        max_adverse_e9: None,
        max_favourable_e9: None,
        simulated: false,
        fees_e9: None,
    }
}

/// The void of a trade, as ingress makes it.
pub(crate) fn void_of(trade: &TradeClosed<'_>, trade_position: Position) -> TradeVoided<'static> {
    TradeVoided {
        event_id: void_event_id(&trade.user_id, trade.event_id),
        user_id: Cow::Owned(trade.user_id.clone().into_owned()),
        symbol: Cow::Owned(trade.symbol.clone().into_owned()),
        strategy: trade.strategy.as_ref().map(|name| Cow::Owned(name.clone().into_owned())),
        occurred_at: NOON_ISH,
        received_at: NOON_ISH,
        trade_event_id: trade.event_id,
        trade_position,
        trade_occurred_at: trade.occurred_at,
        trade_pnl_e9: trade.pnl_e9,
        trade_simulated: trade.simulated,
        reason: None,
    }
}

pub(crate) fn decision_on(signal_number: u128) -> Option<Uuid> {
    Some(decision_id(USER, id(signal_number)))
}

pub(crate) fn at(offset: u64) -> Position {
    Position { epoch: 0, partition: 3, offset }
}

/// Reads like a sentence: `signal(1).strategy("a").price(6500.25)`.
pub(crate) trait SignalSays: Sized {
    fn strategy(self, name: &'static str) -> Self;
    fn price(self, price: f64) -> Self;
    fn side(self, side: Side) -> Self;
    fn rsi(self, rsi: f64) -> Self;
    fn imported(self, source: &'static str, sequence: u64) -> Self;
}

impl SignalSays for SignalReceived<'static> {
    fn strategy(self, name: &'static str) -> Self {
        Self { strategy: Some(name.into()), ..self }
    }
    fn price(self, price: f64) -> Self {
        Self { price_e9: Some(dollars(price)), ..self }
    }
    fn side(self, side: Side) -> Self {
        Self { side, ..self }
    }
    fn rsi(self, rsi: f64) -> Self {
        Self { rsi: Some(rsi), ..self }
    }
    fn imported(self, source: &'static str, sequence: u64) -> Self {
        Self { import: Some(ImportPlace { source: source.into(), sequence }), ..self }
    }
}

/// Reads like a sentence: `trade(2).of_signal(1).pnl(-20.0)`.
pub(crate) trait TradeSays: Sized {
    fn strategy(self, name: &'static str) -> Self;
    fn of_signal(self, number: u128) -> Self;
    fn of_decision_on(self, signal_number: u128) -> Self;
    fn entered_at(self, price: f64) -> Self;
    fn side(self, side: Side) -> Self;
    fn pnl(self, amount: f64) -> Self;
    fn simulated(self) -> Self;
    fn days_later(self, days: i64) -> Self;
}

impl TradeSays for TradeClosed<'static> {
    fn strategy(self, name: &'static str) -> Self {
        Self { strategy: Some(name.into()), ..self }
    }
    fn of_signal(self, number: u128) -> Self {
        Self { signal_id: Some(id(number)), ..self }
    }
    fn of_decision_on(self, signal_number: u128) -> Self {
        Self { decision_id: decision_on(signal_number), ..self }
    }
    fn entered_at(self, price: f64) -> Self {
        Self { entry_price_e9: dollars(price), ..self }
    }
    fn side(self, side: Side) -> Self {
        Self { side, ..self }
    }
    fn pnl(self, amount: f64) -> Self {
        Self { pnl_e9: dollars(amount), ..self }
    }
    fn simulated(self) -> Self {
        Self { simulated: true, ..self }
    }
    fn days_later(self, days: i64) -> Self {
        Self { occurred_at: TimestampUs(self.occurred_at.0 + days * hindcast_domain::time::DAY_US), ..self }
    }
}

/// Anything a user can tell.
pub(crate) trait IntoEvent {
    fn event(self) -> Event<'static>;
}

impl IntoEvent for SignalReceived<'static> {
    fn event(self) -> Event<'static> {
        Event::Signal(self)
    }
}

impl IntoEvent for TradeClosed<'static> {
    fn event(self) -> Event<'static> {
        Event::Trade(self)
    }
}

impl IntoEvent for TradeVoided<'static> {
    fn event(self) -> Event<'static> {
        Event::Void(self)
    }
}

impl IntoEvent for Event<'static> {
    fn event(self) -> Event<'static> {
        self
    }
}
