//! Facts as JSON: exact, so money is a decimal string.

use hindcast_domain::{MoneyE9, Position, TimestampUs};
use hindcast_journal::{Record, RecordType};
use hindcast_schemas::{Codec, Event, ExitReason, ImportPlace, SignalReceived, TradeClosed, TradeVoided};
use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};
use uuid::Uuid;

/// One line a fact; what is not a fact, such as the genesis record, is left out. A record that can't be read is told as
/// such: history is never silently shorter than it is.
pub(super) fn ndjson(codec: &Codec, records: &[Record]) -> Result<Vec<u8>, String> {
    let mut body = Vec::with_capacity(records.len() * 512);
    for record in records {
        if record.record_type == RecordType::Genesis {
            continue;
        }
        let position = record.position;
        let line = match codec.decode_event(&record.value) {
            Ok(Event::Signal(signal)) => serde_json::to_writer(&mut body, &signal_line(position, &signal)),
            Ok(Event::Trade(trade)) => serde_json::to_writer(&mut body, &trade_line(position, &trade)),
            Ok(Event::Void(void)) => serde_json::to_writer(&mut body, &void_line(position, &void)),
            Err(error) if error.is_retryable() => return Err(error.to_string()),
            Err(error) => serde_json::to_writer(
                &mut body,
                &Unreadable { r#type: "unreadable", position, detail: error.to_string() },
            ),
        };
        line.map_err(|error| error.to_string())?;
        body.push(b'\n');
    }
    Ok(body)
}

#[derive(Serialize)]
struct Unreadable {
    r#type: &'static str,
    position: Position,
    detail: String,
}

#[derive(Serialize)]
struct Import<'a> {
    source: &'a str,
    sequence: u64,
}

fn import<'a>(place: Option<&'a ImportPlace<'_>>) -> Option<Import<'a>> {
    place.map(|place| Import { source: &place.source, sequence: place.sequence })
}

struct Decimal(MoneyE9);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Time(TimestampUs);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Timestamp::from_microsecond(self.0.0).unwrap_or_default())
    }
}

struct Features<'e, 'a>(&'e SignalReceived<'a>);

impl Serialize for Features<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.features.len()))?;
        for (name, value) in &self.0.features {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct SignalLine<'e, 'a> {
    r#type: &'static str,
    position: Position,
    event_id: Uuid,
    user_id: &'e str,
    symbol: &'e str,
    strategy: Option<&'e str>,
    occurred_at: Time,
    received_at: Time,
    import: Option<Import<'e>>,
    side: &'static str,
    price: Option<Decimal>,
    rsi: Option<f64>,
    vwap: Option<Decimal>,
    vwap_distance_percent: Option<f64>,
    vwap_distance_abs_percent: Option<f64>,
    volume: Option<f64>,
    atr: Option<f64>,
    volume_ratio: Option<f64>,
    features: Features<'e, 'a>,
    spread: Option<f64>,
    session: Option<&'e str>,
}

fn signal_line<'e, 'a>(position: Position, signal: &'e SignalReceived<'a>) -> SignalLine<'e, 'a> {
    SignalLine {
        r#type: "signal",
        position,
        event_id: signal.event_id,
        user_id: &signal.user_id,
        symbol: &signal.symbol,
        strategy: signal.strategy.as_deref(),
        occurred_at: Time(signal.occurred_at),
        received_at: Time(signal.received_at),
        import: import(signal.import.as_ref()),
        side: signal.side.as_str(),
        price: signal.price_e9.map(Decimal),
        rsi: signal.rsi,
        vwap: signal.vwap_e9.map(Decimal),
        vwap_distance_percent: signal.vwap_distance_percent,
        vwap_distance_abs_percent: signal.vwap_distance_abs_percent,
        volume: signal.volume,
        atr: signal.atr,
        volume_ratio: signal.volume_ratio,
        features: Features(signal),
        spread: signal.spread,
        session: signal.session.as_deref(),
    }
}

#[derive(Serialize)]
struct TradeLine<'e> {
    r#type: &'static str,
    position: Position,
    event_id: Uuid,
    user_id: &'e str,
    symbol: &'e str,
    strategy: Option<&'e str>,
    occurred_at: Time,
    received_at: Time,
    import: Option<Import<'e>>,
    signal_id: Option<Uuid>,
    decision_id: Option<Uuid>,
    side: &'static str,
    quantity: Option<f64>,
    entry_price: Decimal,
    exit_price: Decimal,
    pnl: Decimal,
    entry_time: Option<Time>,
    exit_time: Option<Time>,
    entry_vwap: Option<Decimal>,
    entry_rsi: Option<f64>,
    exit_vwap: Option<Decimal>,
    exit_rsi: Option<f64>,
    exit_reason: Option<ExitReason>,
    max_adverse: Option<Decimal>,
    max_favourable: Option<Decimal>,
    simulated: bool,
    fees: Option<Decimal>,
}

fn trade_line<'e>(position: Position, trade: &'e TradeClosed<'_>) -> TradeLine<'e> {
    TradeLine {
        r#type: "trade",
        position,
        event_id: trade.event_id,
        user_id: &trade.user_id,
        symbol: &trade.symbol,
        strategy: trade.strategy.as_deref(),
        occurred_at: Time(trade.occurred_at),
        received_at: Time(trade.received_at),
        import: import(trade.import.as_ref()),
        signal_id: trade.signal_id,
        decision_id: trade.decision_id,
        side: trade.side.as_str(),
        quantity: trade.quantity,
        entry_price: Decimal(trade.entry_price_e9),
        exit_price: Decimal(trade.exit_price_e9),
        pnl: Decimal(trade.pnl_e9),
        entry_time: trade.entry_time.map(Time),
        exit_time: trade.exit_time.map(Time),
        entry_vwap: trade.entry_vwap_e9.map(Decimal),
        entry_rsi: trade.entry_rsi,
        exit_vwap: trade.exit_vwap_e9.map(Decimal),
        exit_rsi: trade.exit_rsi,
        exit_reason: trade.exit_reason,
        max_adverse: trade.max_adverse_e9.map(Decimal),
        max_favourable: trade.max_favourable_e9.map(Decimal),
        simulated: trade.simulated,
        fees: trade.fees_e9.map(Decimal),
    }
}

#[derive(Serialize)]
struct VoidLine<'e> {
    r#type: &'static str,
    position: Position,
    event_id: Uuid,
    user_id: &'e str,
    symbol: &'e str,
    strategy: Option<&'e str>,
    occurred_at: Time,
    received_at: Time,
    trade_event_id: Uuid,
    trade_position: Position,
    trade_occurred_at: Time,
    trade_pnl: Decimal,
    trade_simulated: bool,
    reason: Option<&'e str>,
}

fn void_line<'e>(position: Position, void: &'e TradeVoided<'_>) -> VoidLine<'e> {
    VoidLine {
        r#type: "void",
        position,
        event_id: void.event_id,
        user_id: &void.user_id,
        symbol: &void.symbol,
        strategy: void.strategy.as_deref(),
        occurred_at: Time(void.occurred_at),
        received_at: Time(void.received_at),
        trade_event_id: void.trade_event_id,
        trade_position: void.trade_position,
        trade_occurred_at: Time(void.trade_occurred_at),
        trade_pnl: Decimal(void.trade_pnl_e9),
        trade_simulated: void.trade_simulated,
        reason: void.reason.as_deref(),
    }
}
