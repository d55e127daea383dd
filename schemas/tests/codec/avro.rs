//! Our bytes read by an independent implementation of Avro, and its bytes read by ours.

use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter};
use hindcast_domain::{MoneyE9, Position, Side, TimestampUs};
use hindcast_schemas::{
    Action, Codec, DecisionMade, Event, ExitReason, ImportPlace, LocalRegistry, SettingRef, SignalReceived, Subject,
    TradeClosed, TradeVoided, known::current,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    samples::{Case, Content, newest},
    strategies,
};

/// The current schema of a subject.
pub(crate) fn schema_of(subject: Subject) -> Schema {
    Schema::parse_str(current(subject).unwrap().json).unwrap()
}

/// Writes a record by any schema, under an id.
pub(crate) fn write(id: u32, schema: &Schema, value: Value) -> Vec<u8> {
    let mut record = vec![0];
    record.extend(id.to_be_bytes());
    record.extend(GenericDatumWriter::builder(schema).build().unwrap().write_value_to_vec(value).unwrap());
    record
}

/// Reads a record to its end, resolved to a reader's schema if there is one.
pub(crate) fn read(record: &[u8], schema: &Schema, reader: Option<&Schema>) -> Value {
    let mut body = &record[5..];
    let value =
        GenericDatumReader::builder(schema).maybe_reader_schema(reader).build().unwrap().read_value(&mut body).unwrap();
    assert!(body.is_empty(), "{} bytes left over", body.len());
    value
}

/// What a record says, in the terms of the other implementation.
pub(crate) fn value_of(content: &Content<'_>) -> Value {
    match content {
        Content::Event(Event::Signal(event)) => signal(event),
        Content::Event(Event::Trade(event)) => trade(event),
        Content::Event(Event::Void(event)) => void(event),
        Content::Decision(event) => decision(event),
    }
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn optional<T>(value: Option<T>, wrap: impl FnOnce(T) -> Value) -> Value {
    match value {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(value) => Value::Union(1, Box::new(wrap(value))),
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn uuid(id: Uuid) -> Value {
    Value::Uuid(id)
}

fn time(time: TimestampUs) -> Value {
    Value::TimestampMicros(time.0)
}

fn money(money: MoneyE9) -> Value {
    Value::Long(money.0)
}

fn count(count: u64) -> Value {
    Value::Long(count.try_into().unwrap())
}

fn side(side: Side) -> Value {
    Value::Enum(u32::from(side == Side::Short), side.as_str().to_owned())
}

fn import(place: &ImportPlace<'_>) -> Value {
    record([("source", text(&place.source)), ("sequence", count(place.sequence))])
}

fn position(position: Position) -> Value {
    record([
        ("epoch", Value::Int(position.epoch.into())),
        ("partition", Value::Int(position.partition.into())),
        ("offset", count(position.offset)),
    ])
}

fn setting(setting: &SettingRef<'_>) -> Value {
    record([
        ("name", text(&setting.name)),
        ("version", Value::Long(setting.version.into())),
        ("digest", text(&setting.digest)),
    ])
}

fn exit_reason(reason: ExitReason) -> Value {
    let symbols = ["TARGET", "STOP", "TIME", "SIGNAL", "SESSION", "MANUAL", "OTHER"];
    let name = format!("{reason:?}").to_uppercase();
    let index = symbols.iter().position(|symbol| *symbol == name).unwrap();
    Value::Enum(index.try_into().unwrap(), name)
}

fn signal(event: &SignalReceived<'_>) -> Value {
    let features = event.features.iter().map(|(name, value)| (name.to_string(), Value::Double(*value)));
    record([
        ("event_id", uuid(event.event_id)),
        ("user_id", text(&event.user_id)),
        ("symbol", text(&event.symbol)),
        ("strategy", optional(event.strategy.as_deref(), text)),
        ("occurred_at", time(event.occurred_at)),
        ("received_at", time(event.received_at)),
        ("import", optional(event.import.as_ref(), import)),
        ("side", side(event.side)),
        ("price_e9", optional(event.price_e9, money)),
        ("rsi", optional(event.rsi, Value::Double)),
        ("vwap_e9", optional(event.vwap_e9, money)),
        ("vwap_distance_percent", optional(event.vwap_distance_percent, Value::Double)),
        ("vwap_distance_abs_percent", optional(event.vwap_distance_abs_percent, Value::Double)),
        ("volume", optional(event.volume, Value::Double)),
        ("atr", optional(event.atr, Value::Double)),
        ("volume_ratio", optional(event.volume_ratio, Value::Double)),
        ("features", Value::Map(features.collect())),
        ("spread", optional(event.spread, Value::Double)),
        ("session", optional(event.session.as_deref(), text)),
    ])
}

fn trade(event: &TradeClosed<'_>) -> Value {
    record([
        ("event_id", uuid(event.event_id)),
        ("user_id", text(&event.user_id)),
        ("symbol", text(&event.symbol)),
        ("strategy", optional(event.strategy.as_deref(), text)),
        ("occurred_at", time(event.occurred_at)),
        ("received_at", time(event.received_at)),
        ("import", optional(event.import.as_ref(), import)),
        ("signal_id", optional(event.signal_id, uuid)),
        ("decision_id", optional(event.decision_id, uuid)),
        ("side", side(event.side)),
        ("quantity", optional(event.quantity, Value::Double)),
        ("entry_price_e9", money(event.entry_price_e9)),
        ("exit_price_e9", money(event.exit_price_e9)),
        ("pnl_e9", money(event.pnl_e9)),
        ("entry_time", optional(event.entry_time, time)),
        ("exit_time", optional(event.exit_time, time)),
        ("entry_vwap_e9", optional(event.entry_vwap_e9, money)),
        ("entry_rsi", optional(event.entry_rsi, Value::Double)),
        ("exit_vwap_e9", optional(event.exit_vwap_e9, money)),
        ("exit_rsi", optional(event.exit_rsi, Value::Double)),
        ("exit_reason", optional(event.exit_reason, exit_reason)),
        ("max_adverse_e9", optional(event.max_adverse_e9, money)),
        ("max_favourable_e9", optional(event.max_favourable_e9, money)),
        ("simulated", Value::Boolean(event.simulated)),
        ("fees_e9", optional(event.fees_e9, money)),
    ])
}

fn void(event: &TradeVoided<'_>) -> Value {
    record([
        ("event_id", uuid(event.event_id)),
        ("user_id", text(&event.user_id)),
        ("symbol", text(&event.symbol)),
        ("strategy", optional(event.strategy.as_deref(), text)),
        ("occurred_at", time(event.occurred_at)),
        ("received_at", time(event.received_at)),
        ("trade_event_id", uuid(event.trade_event_id)),
        ("trade_position", position(event.trade_position)),
        ("trade_occurred_at", time(event.trade_occurred_at)),
        ("trade_pnl_e9", money(event.trade_pnl_e9)),
        ("trade_simulated", Value::Boolean(event.trade_simulated)),
        ("reason", optional(event.reason.as_deref(), text)),
    ])
}

fn decision(event: &DecisionMade<'_>) -> Value {
    let action = match event.action {
        Action::Take => Value::Enum(0, "TAKE".to_owned()),
        Action::Skip => Value::Enum(1, "SKIP".to_owned()),
    };
    record([
        ("decision_id", uuid(event.decision_id)),
        ("decided_at", time(event.decided_at)),
        ("signal", signal(&event.signal)),
        ("generation", text(&event.generation)),
        ("row_found", Value::Boolean(event.row_found)),
        ("applied", optional(event.applied, position)),
        ("control_offset", count(event.control_offset)),
        ("model", setting(&event.model)),
        ("policy", setting(&event.policy)),
        ("experiment", optional(event.experiment.as_deref(), text)),
        ("arm", optional(event.arm.as_deref(), text)),
        ("confidence", Value::Double(event.confidence)),
        ("interval_low", Value::Double(event.interval_low)),
        ("interval_high", Value::Double(event.interval_high)),
        ("novelty", Value::Double(event.novelty)),
        ("experiences", Value::Long(event.experiences.into())),
        ("action", action),
        ("propensity", Value::Double(event.propensity)),
    ])
}

fn agree(codec: &Codec, content: &Content<'_>) {
    let subject = content.subject();
    let schema = schema_of(subject);
    let ours = content.encode(codec).unwrap();
    assert_eq!(read(&ours, &schema, None), value_of(content), "our bytes, read by the other");
    let id = current(subject).unwrap().local_id;
    let theirs = write(id, &schema, value_of(content));
    assert_eq!(Content::decode(codec, subject, &theirs).as_ref(), Ok(content), "its bytes, read by ours");
    // Up to the order of a map, which Avro leaves open, both write the same.
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn the_samples_mean_the_same_to_both() {
    let codec = Codec::new(LocalRegistry).unwrap();
    for subject in Subject::ALL {
        for case in Case::ALL {
            agree(&codec, &newest(subject, case));
        }
    }
}

proptest! {
    #[test]
    fn any_record_means_the_same_to_both(content in strategies::content()) {
        agree(&Codec::new(LocalRegistry).unwrap(), &content);
    }
}
