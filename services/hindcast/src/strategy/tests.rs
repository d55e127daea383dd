//! Given bars, what does the bot do?

use hindcast_domain::Instruments;

use super::*;
use crate::market::MINUTE_US;

fn price(value: f64) -> MoneyE9 {
    MoneyE9::from_f64(value).unwrap()
}

fn es() -> Instrument {
    Instruments::default().get("ES").unwrap().clone()
}

fn bot() -> Bot {
    Bot::new(Params::of_user(0), es())
}

/// Minute bars that all open where the one before closed, with these closes.
struct Tape {
    minute: i64,
    last: f64,
}

impl Tape {
    fn next(&mut self, close: f64) -> Bar {
        self.bar(close, self.last.max(close), self.last.min(close))
    }

    fn bar(&mut self, close: f64, high: f64, low: f64) -> Bar {
        let bar = Bar {
            begins_at: TimestampUs(self.minute * MINUTE_US),
            open_e9: price(self.last),
            high_e9: price(high),
            low_e9: price(low),
            close_e9: price(close),
            volume: 100,
        };
        self.minute += 1;
        self.last = close;
        bar
    }
}

/// A quiet hour around 6500, then a fall until the bot would enter; gives the signal.
fn fall(bot: &mut Bot, tape: &mut Tape) -> Signal {
    for minute in 0..60 {
        let close = if minute % 2 == 0 { 6500.0 } else { 6500.25 };
        assert_eq!(bot.on_bar(&tape.next(close)), Step::Wait);
    }
    for step in 1..20 {
        if let Step::Enter(signal) = bot.on_bar(&tape.next(6500.0 - f64::from(step))) {
            return signal;
        }
    }
    panic!("a fall of 20 points gives a signal");
}

fn entered() -> (Bot, Tape, Signal) {
    let (mut bot, mut tape) = (bot(), Tape { minute: 0, last: 6500.0 });
    let signal = fall(&mut bot, &mut tape);
    bot.enter(&signal);
    (bot, tape, signal)
}

fn exit(step: Step) -> Closed {
    match step {
        Step::Exit(closed) => closed,
        other => panic!("{other:?} is no exit"),
    }
}

#[test]
fn a_fall_far_below_vwap_is_a_chance_to_buy() {
    let (_, tape, signal) = entered();
    assert_eq!(signal.side, Side::Long);
    assert_eq!(signal.at, TimestampUs(tape.minute * MINUTE_US));
    assert!(signal.reading.rsi <= 38.0 && signal.reading.vwap - signal.price_e9.to_f64() >= 3.25);
    assert_eq!((signal.volume, signal.volume_ratio), (100, 1.0));
}

#[test]
fn the_way_back_ends_at_the_target() {
    let (mut bot, mut tape, signal) = entered();
    let closed = exit(bot.on_bar(&tape.next(6500.0)));
    assert_eq!(closed.reason, ExitReason::Target);
    let ticks = (closed.exit_e9.0 - closed.entry_e9.0) / 250_000_000;
    assert!(ticks > 0 && closed.exit_e9.to_f64() < signal.reading.vwap);
    assert_eq!(closed.pnl_e9.0, ticks * 12_500_000_000);
    assert_eq!((closed.max_adverse_e9, closed.max_favourable_e9), (MoneyE9::ZERO, closed.pnl_e9));
    assert_eq!(bot.on_bar(&tape.next(6500.0)), Step::Wait);
}

#[test]
fn a_bar_that_reaches_both_ends_counts_as_stopped() {
    let (mut bot, mut tape, signal) = entered();
    let closed = exit(bot.on_bar(&tape.bar(6500.0, 6520.0, 6480.0)));
    assert_eq!(closed.reason, ExitReason::Stop);
    assert!(closed.exit_e9 < signal.price_e9 && closed.exit_e9 > price(6480.0));
    assert!(closed.pnl_e9 < MoneyE9::ZERO && closed.max_adverse_e9 == closed.pnl_e9);
}

#[test]
fn a_bar_that_opens_beyond_the_stop_fills_there() {
    let (mut bot, mut tape, _) = entered();
    tape.last = 6400.0;
    let closed = exit(bot.on_bar(&tape.next(6401.0)));
    assert_eq!((closed.reason, closed.exit_e9), (ExitReason::Stop, price(6400.0)));
}

#[test]
fn a_trade_that_goes_nowhere_ends_after_its_minutes() {
    let (mut bot, mut tape, signal) = entered();
    let entry = signal.price_e9.to_f64();
    let closed = (0..100)
        .find_map(|_| match bot.on_bar(&tape.next(entry)) {
            Step::Exit(closed) => Some(closed),
            _ => None,
        })
        .unwrap();
    assert_eq!((closed.reason, closed.pnl_e9), (ExitReason::Time, MoneyE9::ZERO));
    assert_eq!(closed.left_at.0 - closed.entered_at.0, 45 * MINUTE_US);
}

#[test]
fn a_session_ends_trades_and_starts_its_own_vwap() {
    let (mut bot, mut tape, signal) = entered();
    tape.minute += 61;
    tape.last = 6700.0;
    let closed = exit(bot.on_bar(&tape.next(6700.0)));
    assert_eq!((closed.reason, closed.exit_e9), (ExitReason::Session, price(6700.0)));
    assert_eq!(closed.exit.vwap.to_bits(), signal.reading.vwap.to_bits());
    // Far above yesterday's VWAP and overbought; but the new session's VWAP is what counts, and it is young.
    for _ in 0..40 {
        assert_eq!(bot.on_bar(&tape.next(6700.0)), Step::Wait);
    }
}

#[test]
fn a_rise_far_above_vwap_is_a_chance_to_sell() {
    let (mut bot, mut tape) = (bot(), Tape { minute: 0, last: 6500.0 });
    for minute in 0..60 {
        bot.on_bar(&tape.next(if minute % 2 == 0 { 6500.0 } else { 6500.25 }));
    }
    let signal = (1..20)
        .find_map(|step| match bot.on_bar(&tape.next(6500.0 + f64::from(step))) {
            Step::Enter(signal) => Some(signal),
            _ => None,
        })
        .unwrap();
    assert_eq!(signal.side, Side::Short);
    bot.enter(&signal);
    let closed = exit(bot.on_bar(&tape.next(6500.0)));
    assert!(closed.reason == ExitReason::Target && closed.pnl_e9 > MoneyE9::ZERO);
}
