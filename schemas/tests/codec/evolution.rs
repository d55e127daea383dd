//! Records of versions that this build has never seen, read by Avro's rules of resolution. What the other
//! implementation makes of them is what ours must make of them.

use std::sync::Arc;

use apache_avro::{Schema, types::Value};
use hindcast_schemas::{Codec, Event, ExitReason, Subject, known::current};
use serde_json::{Value as Json, json};

use crate::{
    avro,
    registries::FakeRegistry,
    samples::{Case, Content, newest},
};

const ID: u32 = 77;

fn json_of(subject: Subject) -> Json {
    serde_json::from_str(current(subject).unwrap().json).unwrap()
}

fn fields(schema: &mut Json) -> &mut Vec<Json> {
    schema["fields"].as_array_mut().unwrap()
}

fn field<'j>(schema: &'j mut Json, name: &str) -> &'j mut Json {
    fields(schema).iter_mut().find(|field| field["name"] == name).unwrap()
}

/// Writes by another schema, reads it with ours and with the other implementation, and wants both to say the same.
fn read_by_both(subject: Subject, schema: &Json, value: Value, then: impl FnOnce(&Content<'_>)) {
    let writer = Schema::parse(schema).unwrap();
    let record = avro::write(ID, &writer, value);
    let registry = Arc::new(FakeRegistry::default());
    registry.give(ID, &schema.to_string());
    let codec = Codec::new(registry).unwrap();
    let content = Content::decode(&codec, subject, &record).unwrap();
    let resolved = avro::read(&record, &writer, Some(&avro::schema_of(subject)));
    assert_eq!(avro::value_of(&content), resolved);
    then(&content);
}

fn with(value: Value, mut change: impl FnMut(&mut Vec<(String, Value)>)) -> Value {
    let Value::Record(mut fields) = value else { panic!("{value:?} is no record") };
    change(&mut fields);
    Value::Record(fields)
}

#[test]
fn fields_of_a_later_version_are_skipped() {
    let inner = json!({"type": "record", "name": "Leg", "fields": [
        {"name": "symbol", "type": "string"},
        {"name": "weights", "type": {"type": "map", "values": "double"}},
        {"name": "previous", "type": ["null", "Leg"]},
    ]});
    let leg = Value::Record(vec![
        ("symbol".to_owned(), Value::String("NQ".to_owned())),
        ("weights".to_owned(), Value::Map([("a".to_owned(), Value::Double(0.5))].into())),
        ("previous".to_owned(), Value::Union(0, Box::new(Value::Null))),
    ]);
    for subject in Subject::ALL {
        for case in Case::ALL {
            let content = newest(subject, case);
            let mut schema = json_of(subject);
            fields(&mut schema).insert(0, json!({"name": "legs", "type": {"type": "array", "items": inner}}));
            fields(&mut schema).push(json!({"name": "note", "type": ["null", "bytes"]}));
            let value = with(avro::value_of(&content), |fields| {
                fields.insert(0, ("legs".to_owned(), Value::Array(vec![leg.clone(), leg.clone()])));
                fields.push(("note".to_owned(), Value::Union(1, Box::new(Value::Bytes(vec![0xff; 300])))));
            });
            read_by_both(subject, &schema, value, |read| assert_eq!(read, &content));
        }
    }
}

#[test]
fn fields_of_an_earlier_version_are_defaults() {
    for subject in Subject::ALL {
        let mut schema = json_of(subject);
        let mut dropped = Vec::new();
        fields(&mut schema).retain(|field| {
            let keeps = field.get("default").is_none();
            if !keeps {
                dropped.push(field["name"].as_str().unwrap().to_owned());
            }
            keeps
        });
        assert!(!dropped.is_empty());
        // A type that was spelt out in a dropped field is needed by none that stays.
        let value = with(avro::value_of(&newest(subject, Case::Full)), |fields| {
            fields.retain(|(name, _)| !dropped.contains(name));
        });
        read_by_both(subject, &schema, value, |_| {});
    }
}

#[test]
fn order_is_the_writers() {
    for subject in [Subject::SignalReceived, Subject::TradeClosed, Subject::TradeVoided] {
        let content = newest(subject, Case::Full);
        let mut schema = json_of(subject);
        // The first field spells out a type that later ones name.
        fields(&mut schema)[1..].reverse();
        let value = with(avro::value_of(&content), |fields| fields[1..].reverse());
        read_by_both(subject, &schema, value, |read| assert_eq!(read, &content));
    }
}

#[test]
fn a_reason_of_a_later_version_is_other() {
    let subject = Subject::TradeClosed;
    let mut schema = json_of(subject);
    let reasons = &mut field(&mut schema, "exit_reason")["type"][1]["symbols"];
    reasons.as_array_mut().unwrap().insert(0, "MARGIN_CALL".into());
    let value = with(avro::value_of(&newest(subject, Case::Full)), |fields| {
        let margin_call = Value::Enum(0, "MARGIN_CALL".to_owned());
        let reason = fields.iter_mut().find(|(name, _)| name == "exit_reason").unwrap();
        reason.1 = Value::Union(1, Box::new(margin_call));
    });
    read_by_both(subject, &schema, value, |read| {
        let Content::Event(Event::Trade(trade)) = read else { panic!() };
        assert_eq!(trade.exit_reason, Some(ExitReason::Other));
    });
}

#[test]
fn a_side_of_a_later_version_is_refused() {
    let subject = Subject::SignalReceived;
    let mut schema = json_of(subject);
    field(&mut schema, "side")["type"]["symbols"] = json!(["LONG", "SHORT", "FLAT"]);
    let value = with(avro::value_of(&newest(subject, Case::Full)), |fields| {
        fields.iter_mut().find(|(name, _)| name == "side").unwrap().1 = Value::Enum(2, "FLAT".to_owned());
    });
    let registry = Arc::new(FakeRegistry::default());
    registry.give(ID, &schema.to_string());
    let record = avro::write(ID, &Schema::parse(&schema).unwrap(), value);
    let refused = Codec::new(registry).unwrap().decode_event(&record).unwrap_err();
    assert!(!refused.is_retryable() && refused.to_string().contains("FLAT"), "{refused}");
}

#[test]
fn narrower_and_other_types_are_widened() {
    let subject = Subject::SignalReceived;
    let content = newest(subject, Case::Full);
    let mut schema = json_of(subject);
    for (name, narrower) in [
        ("occurred_at", json!("int")),
        ("received_at", json!("long")),
        ("atr", json!(["null", "float"])),
        ("volume", json!("int")),
        ("rsi", json!(["double", "null"])),
        ("strategy", json!("string")),
        ("symbol", json!("bytes")),
    ] {
        let field = field(&mut schema, name);
        field["type"] = narrower;
        field.as_object_mut().unwrap().remove("default");
    }
    let value = with(avro::value_of(&content), |fields| {
        for (name, value) in fields {
            match name.as_str() {
                "occurred_at" => *value = Value::Int(86_400),
                "received_at" => *value = Value::Long(1_795_550_400_012_345),
                "atr" => *value = Value::Union(1, Box::new(Value::Float(3.25))),
                "volume" => *value = Value::Int(1_834),
                "rsi" => *value = Value::Union(0, Box::new(Value::Double(28.4))),
                "strategy" => *value = Value::String("vwap-reversion".to_owned()),
                "symbol" => *value = Value::Bytes(b"ES".to_vec()),
                _ => {}
            }
        }
    });
    read_by_both(subject, &schema, value, |read| {
        let (Content::Event(Event::Signal(read)), Content::Event(Event::Signal(written))) = (read, &content) else {
            panic!()
        };
        assert_eq!(read.occurred_at.0, 86_400);
        assert_eq!((read.received_at, read.atr, read.volume), (written.received_at, written.atr, written.volume));
        assert_eq!((read.rsi, &read.strategy, &read.symbol), (written.rsi, &written.strategy, &written.symbol));
    });
}
