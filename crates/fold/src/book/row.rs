//! The bytes of a book.

use std::collections::VecDeque;

use hindcast_domain::{Features, MoneyE9, Position, Side};

use super::{Book, ClosedTrade, DecisionMemo, JoinedBy, SignalRef, Strategies, Totals, WaitingSignal};
use crate::encoding::{NO_POSITION, Put, Rest, RowError};

/// Version of the row's encoding.
const ROW_VERSION: u8 = 1;

/// Bytes of an encoded closed trade at least.
const LEAST_TRADE_BYTES: usize = 2 + 2 + 16 + 8 + 8 + 8 + 1;
/// Bytes of an encoded waiting signal at least.
const LEAST_SIGNAL_BYTES: usize = 2 + 2 + 16 + 1;
/// Bytes of most encoded closed trades at most.
const USUAL_TRADE_BYTES: usize = 128;
/// Bytes of most encoded waiting signals at most.
const USUAL_SIGNAL_BYTES: usize = 72;

/// What is there, one bit each, of a trade or of a waiting signal.
mod flag {
    pub(super) const SHORT: u16 = 1;
    pub(super) const RSI: u16 = 1 << 1;
    pub(super) const DISTANCE: u16 = 1 << 2;
    pub(super) const ATR: u16 = 1 << 3;
    pub(super) const VOLUME_RATIO: u16 = 1 << 4;
    /// The hour is a whole number from 0 to 255, in one byte.
    pub(super) const WHOLE_HOUR: u16 = 1 << 5;
    pub(super) const SIGNAL_STRATEGY: u16 = 1 << 6;
    pub(super) const SIGNAL_PRICE: u16 = 1 << 7;
    /// All bits of a waiting signal.
    pub(super) const OF_SIGNAL: u16 = (1 << 8) - 1;
    /// Two bits: 0 for no signal, else what it was joined by.
    pub(super) const JOINED_BY_SHIFT: u32 = 8;
    pub(super) const SIMULATED: u16 = 1 << 10;
    pub(super) const OWN_STRATEGY: u16 = 1 << 11;
    pub(super) const MISSED_DECISION: u16 = 1 << 12;
    pub(super) const MISSED_SIGNAL: u16 = 1 << 13;
    /// All bits of a trade.
    pub(super) const OF_TRADE: u16 = (1 << 14) - 1;
}

/// The byte that stands for [`super::OTHER_STRATEGY`]; real indexes are far below.
const OTHER_BYTE: u8 = u8::MAX;

impl Book {
    /// Appends the row.
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.reserve(256 + self.ring.len() * USUAL_TRADE_BYTES + self.waiting.len() * USUAL_SIGNAL_BYTES);
        into.byte(ROW_VERSION);
        let mut previous = NO_POSITION;
        into.applied(&mut previous, self.applied);
        for count in [self.signals, self.signals_dropped, self.joined, self.voided, self.voided_outside_ring] {
            into.varint(count);
        }
        put_totals(into, &self.taken);
        put_totals(into, &self.simulated);
        into.length(self.strategies.iter().len());
        self.strategies.iter().for_each(|name| into.text(name));
        into.length(self.ring.len());
        for trade in &self.ring {
            put_trade(into, &mut previous, trade);
        }
        into.length(self.waiting.len());
        for signal in &self.waiting {
            put_waiting(into, &mut previous, signal);
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the bytes are no row of a book.
    pub fn decode(row: &[u8]) -> Result<Self, RowError> {
        let mut rest = Rest::of_row(row, ROW_VERSION)?;
        let mut previous = NO_POSITION;
        let mut book = Self {
            applied: rest.applied(&mut previous)?,
            signals: rest.tally("count of signals")?,
            signals_dropped: rest.tally("count of dropped signals")?,
            joined: rest.tally("count of joined trades")?,
            voided: rest.tally("count of voided trades")?,
            voided_outside_ring: rest.tally("count of voided trades outside the ring")?,
            taken: take_totals(&mut rest)?,
            simulated: take_totals(&mut rest)?,
            ..Self::default()
        };
        for _ in 0..rest.count(1, "count of strategies")? {
            if !book.strategies.append(rest.text("strategy")?) {
                return Err(RowError::Impossible("strategy"));
            }
        }
        let trades = rest.count(LEAST_TRADE_BYTES, "count of trades in the ring")?;
        book.ring = VecDeque::with_capacity(trades);
        for _ in 0..trades {
            book.ring.push_back(take_trade(&mut rest, &mut previous, &mut book.strategies)?);
        }
        let signals = rest.count(LEAST_SIGNAL_BYTES, "count of waiting signals")?;
        book.waiting = VecDeque::with_capacity(signals);
        for _ in 0..signals {
            book.waiting.push_back(take_waiting(&mut rest, &mut previous, &mut book.strategies)?);
        }
        rest.end()?;
        if book.strategies.has_unused() {
            return Err(RowError::Impossible("strategy"));
        }
        Ok(book)
    }
}

fn put_totals(into: &mut Vec<u8>, totals: &Totals) {
    into.varint(totals.trades);
    into.varint(totals.wins);
    into.sum(totals.pnl_e9);
}

fn take_totals(rest: &mut Rest<'_>) -> Result<Totals, RowError> {
    Ok(Totals {
        trades: rest.tally("count of trades")?,
        wins: rest.tally("count of wins")?,
        pnl_e9: rest.sum("sum of pnl")?,
    })
}

fn put_trade(into: &mut Vec<u8>, previous: &mut Position, trade: &ClosedTrade) {
    let joined_by = trade.signal.map_or(0, |signal| joined_by_code(signal.joined_by));
    let signal_flags = trade.signal.map_or(0, |signal| signal_flags(signal.strategy, signal.price_e9));
    into.put(
        &(feature_flags(&trade.features)
            | signal_flags
            | joined_by << flag::JOINED_BY_SHIFT
            | when(trade.simulated, flag::SIMULATED)
            | when(trade.own_strategy.is_some(), flag::OWN_STRATEGY)
            | when(trade.missed_decision.is_some(), flag::MISSED_DECISION)
            | when(trade.missed_signal.is_some(), flag::MISSED_SIGNAL))
        .to_le_bytes(),
    );
    into.position(previous, trade.position);
    into.uuid(trade.event_id);
    into.time(trade.occurred_at);
    into.money(trade.entry_price_e9);
    into.money(trade.pnl_e9);
    put_strategy(into, trade.own_strategy);
    put_features(into, &trade.features);
    if let Some(signal) = &trade.signal {
        // Counted from the trade, which it came shortly before.
        into.position(&mut previous.clone(), signal.position);
        into.uuid(signal.event_id);
        put_strategy(into, signal.strategy);
        put_price(into, signal.price_e9);
    }
    for missed in [trade.missed_decision, trade.missed_signal].into_iter().flatten() {
        into.uuid(missed);
    }
}

#[inline]
fn take_trade(
    rest: &mut Rest<'_>,
    previous: &mut Position,
    strategies: &mut Strategies,
) -> Result<ClosedTrade, RowError> {
    let flags = rest.u16("trade")?;
    if flags & !flag::OF_TRADE != 0 {
        return Err(RowError::Impossible("trade"));
    }
    let has = |bit: u16| flags & bit != 0;
    let position = rest.position(previous, "position of a trade")?;
    let event_id = rest.uuid("id of a trade")?;
    let occurred_at = rest.time("time of a trade")?;
    let entry_price_e9 = rest.money("entry price")?;
    let pnl_e9 = rest.money("pnl")?;
    let own_strategy = take_strategy(rest, has(flag::OWN_STRATEGY), strategies)?;
    let features = take_features(rest, flags)?;
    let signal = match joined_by_of_code((flags >> flag::JOINED_BY_SHIFT) & 3) {
        None if has(flag::SIGNAL_STRATEGY | flag::SIGNAL_PRICE) => return Err(RowError::Impossible("trade")),
        None => None,
        Some(joined_by) => Some(SignalRef {
            position: rest.position(&mut previous.clone(), "position of a signal")?,
            event_id: rest.uuid("id of a signal")?,
            strategy: take_strategy(rest, has(flag::SIGNAL_STRATEGY), strategies)?,
            price_e9: take_price(rest, has(flag::SIGNAL_PRICE))?,
            joined_by,
        }),
    };
    Ok(ClosedTrade {
        position,
        event_id,
        occurred_at,
        strategy: signal.and_then(|signal| signal.strategy).or(own_strategy),
        own_strategy,
        entry_price_e9,
        pnl_e9,
        simulated: has(flag::SIMULATED),
        features,
        signal,
        missed_decision: has(flag::MISSED_DECISION).then(|| rest.uuid("missed decision")).transpose()?,
        missed_signal: has(flag::MISSED_SIGNAL).then(|| rest.uuid("missed signal")).transpose()?,
    })
}

fn put_waiting(into: &mut Vec<u8>, previous: &mut Position, signal: &WaitingSignal) {
    into.put(&(feature_flags(&signal.features) | signal_flags(signal.strategy, signal.price_e9)).to_le_bytes());
    into.position(previous, signal.position);
    into.uuid(signal.event_id);
    put_strategy(into, signal.strategy);
    put_price(into, signal.price_e9);
    put_features(into, &signal.features);
}

#[inline]
fn take_waiting(
    rest: &mut Rest<'_>,
    previous: &mut Position,
    strategies: &mut Strategies,
) -> Result<WaitingSignal, RowError> {
    let flags = rest.u16("waiting signal")?;
    if flags & !flag::OF_SIGNAL != 0 {
        return Err(RowError::Impossible("waiting signal"));
    }
    Ok(WaitingSignal {
        position: rest.position(previous, "position of a signal")?,
        event_id: rest.uuid("id of a signal")?,
        strategy: take_strategy(rest, flags & flag::SIGNAL_STRATEGY != 0, strategies)?,
        price_e9: take_price(rest, flags & flag::SIGNAL_PRICE != 0)?,
        features: take_features(rest, flags)?,
        decision: DecisionMemo::default(),
    })
}

fn when(is_there: bool, bit: u16) -> u16 {
    if is_there { bit } else { 0 }
}

fn signal_flags(strategy: Option<u16>, price_e9: Option<MoneyE9>) -> u16 {
    when(strategy.is_some(), flag::SIGNAL_STRATEGY) | when(price_e9.is_some(), flag::SIGNAL_PRICE)
}

fn joined_by_code(joined_by: JoinedBy) -> u16 {
    match joined_by {
        JoinedBy::Price => 1,
        JoinedBy::SignalId => 2,
        JoinedBy::Decision => 3,
    }
}

fn joined_by_of_code(code: u16) -> Option<JoinedBy> {
    match code {
        1 => Some(JoinedBy::Price),
        2 => Some(JoinedBy::SignalId),
        3 => Some(JoinedBy::Decision),
        _ => None,
    }
}

fn put_strategy(into: &mut Vec<u8>, strategy: Option<u16>) {
    if let Some(index) = strategy {
        into.byte(u8::try_from(index).unwrap_or(OTHER_BYTE));
    }
}

fn take_strategy(rest: &mut Rest<'_>, is_there: bool, strategies: &mut Strategies) -> Result<Option<u16>, RowError> {
    if !is_there {
        return Ok(None);
    }
    let index = match rest.byte("index of a strategy")? {
        OTHER_BYTE => super::OTHER_STRATEGY,
        index => index.into(),
    };
    if strategies.refer(index) { Ok(Some(index)) } else { Err(RowError::Impossible("index of a strategy")) }
}

fn put_price(into: &mut Vec<u8>, price_e9: Option<MoneyE9>) {
    if let Some(price_e9) = price_e9 {
        into.money(price_e9);
    }
}

fn take_price(rest: &mut Rest<'_>, is_there: bool) -> Result<Option<MoneyE9>, RowError> {
    is_there.then(|| rest.money("price of a signal")).transpose()
}

/// An hour as one byte, if that loses nothing.
fn whole_hour(hour: f64) -> Option<u8> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // compared just below
    let whole = hour as u8;
    (f64::from(whole).to_bits() == hour.to_bits()).then_some(whole)
}

fn feature_flags(features: &Features) -> u16 {
    when(features.side == Side::Short, flag::SHORT)
        | when(features.rsi.is_some(), flag::RSI)
        | when(features.vwap_distance_abs_percent.is_some(), flag::DISTANCE)
        | when(features.atr.is_some(), flag::ATR)
        | when(features.volume_ratio.is_some(), flag::VOLUME_RATIO)
        | when(whole_hour(features.hour).is_some(), flag::WHOLE_HOUR)
}

fn put_features(into: &mut Vec<u8>, features: &Features) {
    let Features { side: _, rsi, vwap_distance_abs_percent, atr, volume_ratio, hour } = *features;
    for feature in [rsi, vwap_distance_abs_percent, atr, volume_ratio].into_iter().flatten() {
        into.float(feature);
    }
    match whole_hour(hour) {
        Some(hour) => into.byte(hour),
        None => into.float(hour),
    }
}

#[inline]
fn take_features(rest: &mut Rest<'_>, flags: u16) -> Result<Features, RowError> {
    let mut feature = |bit: u16, what| (flags & bit != 0).then(|| rest.float(what)).transpose();
    Ok(Features {
        side: if flags & flag::SHORT == 0 { Side::Long } else { Side::Short },
        rsi: feature(flag::RSI, "rsi")?,
        vwap_distance_abs_percent: feature(flag::DISTANCE, "distance from VWAP")?,
        atr: feature(flag::ATR, "atr")?,
        volume_ratio: feature(flag::VOLUME_RATIO, "volume ratio")?,
        hour: if flags & flag::WHOLE_HOUR == 0 { rest.float("hour")? } else { rest.byte("hour")?.into() },
    })
}
