//! A trade from its entry to its end.

use hindcast_domain::{Instrument, MoneyE9, Side, TimestampUs};

use super::{Params, Reading, Signal};
use crate::market::{Bar, MINUTE_US};

/// Why a trade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// It got where it should.
    Target,
    /// It went too far the other way.
    Stop,
    /// It took too long.
    Time,
    /// The session was over.
    Session,
}

impl ExitReason {
    /// As it is written in bodies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "TARGET",
            Self::Stop => "STOP",
            Self::Time => "TIME",
            Self::Session => "SESSION",
        }
    }
}

/// A trade that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Which way it was.
    pub side: Side,
    /// Contracts.
    pub quantity: u32,
    /// When it was entered.
    pub entered_at: TimestampUs,
    /// When it ended.
    pub left_at: TimestampUs,
    /// At which price it was entered.
    pub entry_e9: MoneyE9,
    /// At which price it ended.
    pub exit_e9: MoneyE9,
    /// What the indicators said at the entry.
    pub entry: Reading,
    /// What they said at the end.
    pub exit: Reading,
    /// Why it ended.
    pub reason: ExitReason,
    /// Profit or loss in USD.
    pub pnl_e9: MoneyE9,
    /// Worst unrealised loss in USD, negative or 0.
    pub max_adverse_e9: MoneyE9,
    /// Best unrealised profit in USD, positive or 0.
    pub max_favourable_e9: MoneyE9,
}

/// An open trade.
#[derive(Debug)]
pub(super) struct Position {
    side: Side,
    quantity: u32,
    entered_at: TimestampUs,
    latest_exit: TimestampUs,
    entry_e9: MoneyE9,
    target_e9: MoneyE9,
    stop_e9: MoneyE9,
    entry: Reading,
    worst_e9: MoneyE9,
    best_e9: MoneyE9,
}

impl Position {
    pub(super) fn new(signal: &Signal, params: &Params, instrument: &Instrument) -> Self {
        let price = signal.price_e9.to_f64();
        let way = (signal.reading.vwap - price).abs();
        let reach = (params.target_share * way).max(instrument.tick_size_e9.to_f64());
        let target = price + signal.side.sign() * reach;
        let stop = price - signal.side.sign() * reach * params.stop_share;
        let latest_exit = signal.at.0.saturating_add(i64::from(params.max_minutes).saturating_mul(MINUTE_US));
        Self {
            side: signal.side,
            quantity: params.quantity,
            entered_at: signal.at,
            latest_exit: TimestampUs(latest_exit),
            entry_e9: signal.price_e9,
            target_e9: to_tick(target, signal.price_e9, instrument),
            stop_e9: to_tick(stop, signal.price_e9, instrument),
            entry: signal.reading,
            worst_e9: MoneyE9::ZERO,
            best_e9: MoneyE9::ZERO,
        }
    }

    /// Whether the bar ends the trade. Where it reached both the stop and the target, the stop came first: nobody
    /// knows, and a strategy should not look better than it was.
    pub(super) fn on_bar(&mut self, bar: &Bar, reading: Option<Reading>, instrument: &Instrument) -> Option<Closed> {
        let (against, towards) = match self.side {
            Side::Long => (bar.low_e9, bar.high_e9),
            Side::Short => (bar.high_e9, bar.low_e9),
        };
        let (price, reason) = if !self.is_beyond(against, self.stop_e9) {
            // A bar that opens beyond the stop fills there: the price of the stop was not to be had any more.
            (self.worse_of(bar.open_e9, self.stop_e9), ExitReason::Stop)
        } else if !self.is_beyond(self.target_e9, towards) {
            (self.target_e9, ExitReason::Target)
        } else if bar.ends_at() >= self.latest_exit {
            (bar.close_e9, ExitReason::Time)
        } else {
            self.track(against, towards, instrument);
            return None;
        };
        self.track(price, price, instrument);
        Some(self.close(price, bar.ends_at(), reading, reason, instrument))
    }

    /// Ends the trade with the first price of the next session.
    pub(super) fn close_at_open(mut self, bar: &Bar, reading: Option<Reading>, instrument: &Instrument) -> Closed {
        self.track(bar.open_e9, bar.open_e9, instrument);
        self.close(bar.open_e9, bar.begins_at, reading, ExitReason::Session, instrument)
    }

    /// Whether a price is better for this trade than another.
    fn is_beyond(&self, price: MoneyE9, other: MoneyE9) -> bool {
        match self.side {
            Side::Long => price > other,
            Side::Short => price < other,
        }
    }

    fn worse_of(&self, price: MoneyE9, other: MoneyE9) -> MoneyE9 {
        if self.is_beyond(price, other) { other } else { price }
    }

    fn track(&mut self, against: MoneyE9, towards: MoneyE9, instrument: &Instrument) {
        self.worst_e9 = self.worst_e9.min(self.worth(against, instrument));
        self.best_e9 = self.best_e9.max(self.worth(towards, instrument));
    }

    fn worth(&self, price: MoneyE9, instrument: &Instrument) -> MoneyE9 {
        profit(self.side, self.entry_e9, price, self.quantity, instrument)
    }

    fn close(
        &self,
        price: MoneyE9,
        at: TimestampUs,
        reading: Option<Reading>,
        reason: ExitReason,
        instrument: &Instrument,
    ) -> Closed {
        Closed {
            side: self.side,
            quantity: self.quantity,
            entered_at: self.entered_at,
            left_at: at,
            entry_e9: self.entry_e9,
            exit_e9: price,
            entry: self.entry,
            exit: reading.unwrap_or(self.entry),
            reason,
            pnl_e9: self.worth(price, instrument),
            max_adverse_e9: self.worst_e9,
            max_favourable_e9: self.best_e9,
        }
    }
}

/// The nearest price that can be traded; the entry itself where there is none.
fn to_tick(price: f64, entry: MoneyE9, instrument: &Instrument) -> MoneyE9 {
    let tick = instrument.tick_size_e9;
    let Ok(exact) = MoneyE9::from_f64(price) else { return entry };
    if tick.0 <= 0 {
        return exact;
    }
    MoneyE9(exact.0.saturating_add(tick.0 / 2).div_euclid(tick.0).saturating_mul(tick.0))
}

/// Profit or loss of a trade in USD: ticks, times the value of one, times contracts.
#[must_use]
pub(crate) fn profit(side: Side, entry: MoneyE9, exit: MoneyE9, quantity: u32, instrument: &Instrument) -> MoneyE9 {
    let difference = match side {
        Side::Long => i128::from(exit.0) - i128::from(entry.0),
        Side::Short => i128::from(entry.0) - i128::from(exit.0),
    };
    let tick = i128::from(instrument.tick_size_e9.0).max(1);
    let amount = difference * i128::from(instrument.tick_value_e9.0) * i128::from(quantity) / tick;
    // Beyond nine billion dollars the exact amount can't be written down any more.
    MoneyE9(i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX }))
}
