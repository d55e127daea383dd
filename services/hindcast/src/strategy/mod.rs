//! A VWAP/RSI strategy: bets on the return of a stretched price to the session's volume-weighted average price.
//!
//! Long when the price is far below VWAP and RSI says oversold, short the other way round. A trade ends at its
//! target on the way back to VWAP, at its stop, after so many minutes, or with the session. One trade at a time,
//! whether taken or followed on paper.

pub mod indicators;
mod params;
mod position;

use hindcast_domain::{Instrument, MoneyE9, Side, TimestampUs};

use self::{
    indicators::{Atr, Rsi, SessionVwap, VolumeRatio},
    position::Position,
};
pub use self::{
    params::Params,
    position::{Closed, ExitReason},
};
use crate::market::Bar;

/// A pause this long between two bars ends the session: exchanges rest for an hour a day, quiet minutes are few.
const SESSION_GAP_US: i64 = 30 * 60 * 1_000_000;
/// Bars of a session before its VWAP means anything.
const SESSION_WARM_UP_BARS: u32 = 30;
/// Bars after a trade before the next: the same stretch is no new signal.
const PAUSE_BARS: u32 = 5;
const ATR_PERIOD: u16 = 14;
const VOLUME_PERIOD: u16 = 20;

/// A moment at which the strategy would enter.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// When.
    pub at: TimestampUs,
    /// Which way.
    pub side: Side,
    /// At which price.
    pub price_e9: MoneyE9,
    /// What the indicators say.
    pub reading: Reading,
    /// Distance from VWAP as a multiple of the average true range.
    pub stretch: f64,
    /// Average true range in points.
    pub atr: f64,
    /// Contracts of the bar.
    pub volume: u64,
    /// Volume as a multiple of its average.
    pub volume_ratio: f64,
}

/// VWAP and RSI at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Volume-weighted average price of the session.
    pub vwap: f64,
    /// Relative strength index.
    pub rsi: f64,
}

/// What a bar leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing.
    Wait,
    /// A chance: [`Bot::enter`] it, on paper at least, or let it go.
    Enter(Signal),
    /// The open trade ended.
    Exit(Closed),
}

/// One strategy on one symbol.
#[derive(Debug)]
pub struct Bot {
    params: Params,
    instrument: Instrument,
    rsi: Rsi,
    atr: Atr,
    volume_ratio: VolumeRatio,
    vwap: SessionVwap,
    session_bars: u32,
    last_bar: Option<TimestampUs>,
    last_reading: Option<Reading>,
    pause: u32,
    open: Option<Position>,
}

impl Bot {
    /// A bot that has seen nothing yet.
    #[must_use]
    pub fn new(params: Params, instrument: Instrument) -> Self {
        Self {
            rsi: Rsi::new(params.rsi_period),
            atr: Atr::new(ATR_PERIOD),
            volume_ratio: VolumeRatio::new(VOLUME_PERIOD),
            vwap: SessionVwap::default(),
            session_bars: 0,
            last_bar: None,
            last_reading: None,
            pause: 0,
            open: None,
            params,
            instrument,
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Takes the next bar.
    pub fn on_bar(&mut self, bar: &Bar) -> Step {
        let gap = self.last_bar.replace(bar.begins_at).map(|last| bar.begins_at.0.saturating_sub(last.0));
        let closed = if gap.is_some_and(|gap| gap >= SESSION_GAP_US) {
            self.vwap = SessionVwap::default();
            self.session_bars = 0;
            self.open.take().map(|position| position.close_at_open(bar, self.last_reading, &self.instrument))
        } else {
            None
        };
        let reading = self.read(bar);
        if let Some(closed) = closed {
            self.pause = PAUSE_BARS;
            return Step::Exit(closed);
        }
        if let Some(position) = &mut self.open {
            let Some(closed) = position.on_bar(bar, reading, &self.instrument) else { return Step::Wait };
            self.open = None;
            self.pause = PAUSE_BARS;
            return Step::Exit(closed);
        }
        if self.pause > 0 {
            self.pause -= 1;
            return Step::Wait;
        }
        reading.and_then(|reading| self.signal(bar, reading)).map_or(Step::Wait, Step::Enter)
    }

    /// Enters a signal just given.
    pub fn enter(&mut self, signal: &Signal) {
        self.open = Some(Position::new(signal, &self.params, &self.instrument));
    }

    fn read(&mut self, bar: &Bar) -> Option<Reading> {
        self.session_bars = self.session_bars.saturating_add(1);
        self.vwap.push(bar);
        self.rsi.push(bar.close_e9.to_f64());
        self.atr.push(bar);
        self.volume_ratio.push(bar.volume);
        let reading = self.vwap.value().zip(self.rsi.value()).map(|(vwap, rsi)| Reading { vwap, rsi });
        self.last_reading = reading.or(self.last_reading);
        reading
    }

    fn signal(&self, bar: &Bar, reading: Reading) -> Option<Signal> {
        if self.session_bars < SESSION_WARM_UP_BARS {
            return None;
        }
        let (atr, volume_ratio) = (self.atr.value()?, self.volume_ratio.value()?);
        let price = bar.close_e9.to_f64();
        let distance = price - reading.vwap;
        let distance_percent = 100.0 * distance / reading.vwap;
        let side = if distance_percent <= -self.params.distance_percent && reading.rsi <= self.params.rsi_low {
            Side::Long
        } else if distance_percent >= self.params.distance_percent && reading.rsi >= 100.0 - self.params.rsi_low {
            Side::Short
        } else {
            return None;
        };
        let stretch = if atr > 0.0 { distance.abs() / atr } else { 0.0 };
        let (at, price_e9, volume) = (bar.ends_at(), bar.close_e9, bar.volume);
        Some(Signal { at, side, price_e9, reading, stretch, atr, volume, volume_ratio })
    }
}

#[cfg(test)]
mod tests;
