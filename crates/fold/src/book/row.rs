//! The bytes of a book.

use std::collections::VecDeque;

use hindcast_domain::{Features, MoneyE9, Position, Side};

use super::{
    Book, ClosedTrade, DecisionMemo, JoinedBy, Regime, RegimeTotals, SignalRef, Strategies, Totals, WaitingSignal,
};
use crate::encoding::{NO_POSITION, Put, Rest, RowError};

/// Version of the encoding of books without regimes: those of version 1 of the fold.
const PLAIN: u8 = 1;
/// Version of the encoding of books with regimes: of version 2 of the fold. It adds the regimes after the totals, and to
/// each trade and signal its regime and, if it has one, its spread.
const WITH_REGIMES: u8 = 2;

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
    /// All bits of a waiting signal of a row without regimes.
    pub(super) const OF_SIGNAL: u16 = (1 << 8) - 1;
    /// Two bits: 0 for no signal, else what it was joined by.
    pub(super) const JOINED_BY_SHIFT: u32 = 8;
    pub(super) const SIMULATED: u16 = 1 << 10;
    pub(super) const OWN_STRATEGY: u16 = 1 << 11;
    pub(super) const MISSED_DECISION: u16 = 1 << 12;
    pub(super) const MISSED_SIGNAL: u16 = 1 << 13;
    /// All bits of a trade of a row without regimes.
    pub(super) const OF_TRADE: u16 = (1 << 14) - 1;
    /// Only in rows with regimes.
    pub(super) const SPREAD: u16 = 1 << 14;
}

/// The byte that stands for [`super::OTHER_STRATEGY`]; real indexes are far below.
const OTHER_BYTE: u8 = u8::MAX;

impl Book {
    /// Appends the row.
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.reserve(256 + self.ring.len() * USUAL_TRADE_BYTES + self.waiting.len() * USUAL_SIGNAL_BYTES);
        let has_regimes = self.regimes.is_some();
        into.byte(if has_regimes { WITH_REGIMES } else { PLAIN });
        let mut previous = NO_POSITION;
        into.applied(&mut previous, self.applied);
        for count in [self.signals, self.signals_dropped, self.joined, self.voided, self.voided_outside_ring] {
            into.varint(count);
        }
        put_totals(into, &self.taken);
        put_totals(into, &self.simulated);
        if let Some(regimes) = &self.regimes {
            into.length(regimes.len());
            regimes.iter().for_each(|totals| put_regime_totals(into, totals));
        }
        into.length(self.strategies.iter().len());
        self.strategies.iter().for_each(|name| into.text(name));
        into.length(self.ring.len());
        for trade in &self.ring {
            put_trade(into, &mut previous, trade, has_regimes);
        }
        into.length(self.waiting.len());
        for signal in &self.waiting {
            put_waiting(into, &mut previous, signal, has_regimes);
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the bytes are no row of a book.
    pub fn decode(row: &[u8]) -> Result<Self, RowError> {
        let mut rest = Rest::of_row(row, WITH_REGIMES)?;
        let has_regimes = row.first() == Some(&WITH_REGIMES);
        let mut previous = NO_POSITION;
        let mut book = Self::take_counts(&mut rest, &mut previous).ok_or(RowError::Damaged("counts"))?;
        if has_regimes {
            book.regimes = Some(take_regimes(&mut rest).ok_or(RowError::Damaged("regimes"))?);
        }
        book.strategies = take_strategies(&mut rest).ok_or(RowError::Damaged("strategies"))?;
        let strategies = &mut book.strategies;
        let of = &mut Entries { previous, strategies, has_regimes };
        book.ring = take_trades(&mut rest, of).ok_or(RowError::Damaged("closed trades"))?;
        book.waiting = take_signals(&mut rest, of).ok_or(RowError::Damaged("waiting signals"))?;
        rest.end()?;
        if book.strategies.has_unused() {
            return Err(RowError::Damaged("strategies"));
        }
        Ok(book)
    }

    fn take_counts(rest: &mut Rest<'_>, previous: &mut Position) -> Option<Self> {
        Some(Self {
            applied: rest.applied(previous)?,
            signals: rest.tally()?,
            signals_dropped: rest.tally()?,
            joined: rest.tally()?,
            voided: rest.tally()?,
            voided_outside_ring: rest.tally()?,
            taken: take_totals(rest)?,
            simulated: take_totals(rest)?,
            ..Self::default()
        })
    }
}

/// What reading a trade or a signal needs of those before it and of its row.
struct Entries<'b> {
    previous: Position,
    strategies: &'b mut Strategies,
    has_regimes: bool,
}

impl Entries<'_> {
    /// The bits that can be set, given those that can in a row without regimes.
    #[inline]
    fn flags(&self, plain: u16) -> u16 {
        if self.has_regimes { plain | flag::SPREAD } else { plain }
    }

    /// What an entry has only in a row with regimes.
    #[inline]
    fn take_regime(&self, rest: &mut Rest<'_>, flags: u16, features: &mut Features) -> Option<Regime> {
        if !self.has_regimes {
            return Some(Regime::NONE);
        }
        if flags & flag::SPREAD != 0 {
            features.spread = Some(rest.float()?);
        }
        Regime::of_code(rest.byte()?)
    }
}

fn put_regime(into: &mut Vec<u8>, features: &Features, regime: Regime) {
    if let Some(spread) = features.spread {
        into.float(spread);
    }
    into.byte(regime.code());
}

fn put_regime_totals(into: &mut Vec<u8>, totals: &RegimeTotals) {
    into.byte(totals.regime.code());
    put_totals(into, &totals.taken);
    put_totals(into, &totals.simulated);
}

fn take_regimes(rest: &mut Rest<'_>) -> Option<Vec<RegimeTotals>> {
    const LEAST_BYTES: usize = 1 + 2 * (1 + 1 + 16);
    let count = rest.count(LEAST_BYTES)?;
    let mut regimes: Vec<RegimeTotals> = Vec::with_capacity(count);
    for _ in 0..count {
        let regime = Regime::of_code(rest.byte()?)?;
        let totals = RegimeTotals { regime, taken: take_totals(rest)?, simulated: take_totals(rest)? };
        if totals.is_empty() || regimes.last().is_some_and(|last| last.regime >= regime) {
            return None;
        }
        regimes.push(totals);
    }
    Some(regimes)
}

fn take_strategies(rest: &mut Rest<'_>) -> Option<Strategies> {
    let mut strategies = Strategies::default();
    for _ in 0..rest.count(1)? {
        if !strategies.append(rest.text()?) {
            return None;
        }
    }
    Some(strategies)
}

fn take_trades(rest: &mut Rest<'_>, of: &mut Entries<'_>) -> Option<VecDeque<ClosedTrade>> {
    let count = rest.count(LEAST_TRADE_BYTES)?;
    let mut trades = VecDeque::with_capacity(count);
    for _ in 0..count {
        trades.push_back(take_trade(rest, of)?);
    }
    Some(trades)
}

fn take_signals(rest: &mut Rest<'_>, of: &mut Entries<'_>) -> Option<VecDeque<WaitingSignal>> {
    let count = rest.count(LEAST_SIGNAL_BYTES)?;
    let mut signals = VecDeque::with_capacity(count);
    for _ in 0..count {
        signals.push_back(take_waiting(rest, of)?);
    }
    Some(signals)
}

fn put_totals(into: &mut Vec<u8>, totals: &Totals) {
    into.varint(totals.trades);
    into.varint(totals.wins);
    into.sum(totals.pnl_e9);
}

fn take_totals(rest: &mut Rest<'_>) -> Option<Totals> {
    Some(Totals { trades: rest.tally()?, wins: rest.tally()?, pnl_e9: rest.sum()? })
}

/// What every trade has, in one piece: flags, id, time, entry price, pnl.
const FIXED_BYTES: usize = 2 + 16 + 8 + 8 + 8;

fn put_trade(into: &mut Vec<u8>, previous: &mut Position, trade: &ClosedTrade, has_regimes: bool) {
    let joined_by = trade.signal.map_or(0, |signal| joined_by_code(signal.joined_by));
    let signal_flags = trade.signal.map_or(0, |signal| signal_flags(signal.strategy, signal.price_e9));
    let features = trade.features.get();
    let flags = feature_flags(&features, has_regimes)
        | signal_flags
        | joined_by << flag::JOINED_BY_SHIFT
        | when(trade.simulated, flag::SIMULATED)
        | when(trade.own_strategy.is_some(), flag::OWN_STRATEGY)
        | when(trade.missed_decision.is_some(), flag::MISSED_DECISION)
        | when(trade.missed_signal.is_some(), flag::MISSED_SIGNAL);
    let mut fixed = [0; FIXED_BYTES];
    fixed[..2].copy_from_slice(&flags.to_le_bytes());
    fixed[2..18].copy_from_slice(trade.event_id.as_bytes());
    fixed[18..26].copy_from_slice(&trade.occurred_at.0.to_le_bytes());
    fixed[26..34].copy_from_slice(&trade.entry_price_e9.0.to_le_bytes());
    fixed[34..].copy_from_slice(&trade.pnl_e9.0.to_le_bytes());
    into.put(&fixed);
    into.position(previous, trade.position);
    put_strategy(into, trade.own_strategy);
    put_features(into, &features);
    if has_regimes {
        put_regime(into, &features, trade.regime);
    }
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
fn take_trade(rest: &mut Rest<'_>, of: &mut Entries<'_>) -> Option<ClosedTrade> {
    let mut fixed = Rest::of_array(rest.array::<FIXED_BYTES>()?);
    let flags = fixed.u16()?;
    let has = |bit: u16| flags & bit != 0;
    if has(!of.flags(flag::OF_TRADE)) {
        return None;
    }
    let (event_id, occurred_at) = (fixed.uuid()?, fixed.time()?);
    let (entry_price_e9, pnl_e9) = (fixed.money()?, fixed.money()?);
    let position = rest.position(&mut of.previous)?;
    let own_strategy = take_strategy(rest, has(flag::OWN_STRATEGY), of.strategies)?;
    let mut features = take_features(rest, flags)?;
    let regime = of.take_regime(rest, flags, &mut features)?;
    let signal = match joined_by_of_code((flags >> flag::JOINED_BY_SHIFT) & 3) {
        None if has(flag::SIGNAL_STRATEGY | flag::SIGNAL_PRICE) => return None,
        None => None,
        Some(joined_by) => Some(SignalRef {
            position: rest.position(&mut of.previous.clone())?,
            event_id: rest.uuid()?,
            strategy: take_strategy(rest, has(flag::SIGNAL_STRATEGY), of.strategies)?,
            price_e9: take_price(rest, has(flag::SIGNAL_PRICE))?,
            joined_by,
        }),
    };
    Some(ClosedTrade {
        position,
        event_id,
        occurred_at,
        strategy: signal.and_then(|signal| signal.strategy).or(own_strategy),
        own_strategy,
        entry_price_e9,
        pnl_e9,
        simulated: has(flag::SIMULATED),
        features: features.into(),
        regime,
        signal,
        missed_decision: if has(flag::MISSED_DECISION) { Some(rest.uuid()?) } else { None },
        missed_signal: if has(flag::MISSED_SIGNAL) { Some(rest.uuid()?) } else { None },
    })
}

fn put_waiting(into: &mut Vec<u8>, previous: &mut Position, signal: &WaitingSignal, has_regimes: bool) {
    let features = signal.features.get();
    into.put(&(feature_flags(&features, has_regimes) | signal_flags(signal.strategy, signal.price_e9)).to_le_bytes());
    into.position(previous, signal.position);
    into.uuid(signal.event_id);
    put_strategy(into, signal.strategy);
    put_price(into, signal.price_e9);
    put_features(into, &features);
    if has_regimes {
        put_regime(into, &features, signal.regime);
    }
}

#[inline]
fn take_waiting(rest: &mut Rest<'_>, of: &mut Entries<'_>) -> Option<WaitingSignal> {
    let flags = rest.u16()?;
    if flags & !of.flags(flag::OF_SIGNAL) != 0 {
        return None;
    }
    let (position, event_id) = (rest.position(&mut of.previous)?, rest.uuid()?);
    let strategy = take_strategy(rest, flags & flag::SIGNAL_STRATEGY != 0, of.strategies)?;
    let price_e9 = take_price(rest, flags & flag::SIGNAL_PRICE != 0)?;
    let mut features = take_features(rest, flags)?;
    let regime = of.take_regime(rest, flags, &mut features)?;
    let decision = DecisionMemo::default();
    Some(WaitingSignal { position, event_id, strategy, price_e9, features: features.into(), regime, decision })
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

/// The outer `Option` tells a damaged index, the inner one that there is none.
#[inline]
#[allow(clippy::option_option)]
fn take_strategy(rest: &mut Rest<'_>, is_there: bool, strategies: &mut Strategies) -> Option<Option<u16>> {
    if !is_there {
        return Some(None);
    }
    let index = match rest.byte()? {
        OTHER_BYTE => super::OTHER_STRATEGY,
        index => index.into(),
    };
    strategies.refer(index).then_some(Some(index))
}

fn put_price(into: &mut Vec<u8>, price_e9: Option<MoneyE9>) {
    if let Some(price_e9) = price_e9 {
        into.money(price_e9);
    }
}

#[allow(clippy::option_option)] // as above
fn take_price(rest: &mut Rest<'_>, is_there: bool) -> Option<Option<MoneyE9>> {
    if is_there { rest.money().map(Some) } else { Some(None) }
}

/// An hour as one byte, if that loses nothing.
fn whole_hour(hour: f64) -> Option<u8> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // compared just below
    let whole = hour as u8;
    (f64::from(whole).to_bits() == hour.to_bits()).then_some(whole)
}

fn feature_flags(features: &Features, has_regimes: bool) -> u16 {
    when(features.side == Side::Short, flag::SHORT)
        | when(features.rsi.is_some(), flag::RSI)
        | when(features.vwap_distance_abs_percent.is_some(), flag::DISTANCE)
        | when(features.atr.is_some(), flag::ATR)
        | when(features.volume_ratio.is_some(), flag::VOLUME_RATIO)
        | when(whole_hour(features.hour).is_some(), flag::WHOLE_HOUR)
        | when(has_regimes && features.spread.is_some(), flag::SPREAD)
}

fn put_features(into: &mut Vec<u8>, features: &Features) {
    let Features { side: _, rsi, vwap_distance_abs_percent, atr, volume_ratio, hour, spread: _ } = *features;
    for feature in [rsi, vwap_distance_abs_percent, atr, volume_ratio].into_iter().flatten() {
        into.float(feature);
    }
    match whole_hour(hour) {
        Some(hour) => into.byte(hour),
        None => into.float(hour),
    }
}

#[inline]
fn take_features(rest: &mut Rest<'_>, flags: u16) -> Option<Features> {
    let mut feature = |bit: u16| if flags & bit != 0 { rest.float().map(Some) } else { Some(None) };
    Some(Features {
        side: if flags & flag::SHORT == 0 { Side::Long } else { Side::Short },
        rsi: feature(flag::RSI)?,
        vwap_distance_abs_percent: feature(flag::DISTANCE)?,
        atr: feature(flag::ATR)?,
        volume_ratio: feature(flag::VOLUME_RATIO)?,
        hour: if flags & flag::WHOLE_HOUR == 0 { rest.float()? } else { rest.byte()?.into() },
        spread: None,
    })
}
