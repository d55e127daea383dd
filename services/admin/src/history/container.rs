//! Records as they are in the log, in an Avro container file: what any Avro library reads.

use apache_avro::{Schema, Writer, types::Value};
use hindcast_journal::{Record, RecordType};

/// A record of the log, with its body untouched (Confluent's wire format).
const RECORD_SCHEMA: &str = r#"{
  "type": "record", "name": "JournalRecord", "namespace": "hindcast",
  "doc": "A record of the journal as it is in the log.",
  "fields": [
    {"name": "epoch", "type": "int", "doc": "Of the position, raised by one each time a journal is restored."},
    {"name": "partition", "type": "int", "doc": "Of the position."},
    {"name": "position_offset", "type": "long", "doc": "Of the position, given once."},
    {"name": "cursor", "type": "long", "doc": "Offset in this log."},
    {"name": "record_type", "type": "string", "doc": "genesis, signal, trade, void or unknown."},
    {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-micros"}, "doc": "When it was received."},
    {"name": "key", "type": "bytes", "doc": "The user."},
    {"name": "traceparent", "type": ["null", "string"], "default": null, "doc": "W3C trace context of the request."},
    {"name": "value", "type": "bytes", "doc": "Zero byte, schema id (4 bytes, big-endian), Avro body."}
  ]
}"#;

pub(super) fn avro(records: &[Record]) -> Result<Vec<u8>, String> {
    let schema = Schema::parse_str(RECORD_SCHEMA).map_err(|error| error.to_string())?;
    let mut writer =
        Writer::new(&schema, Vec::with_capacity(records.len() * 256)).map_err(|error| error.to_string())?;
    for record in records {
        writer.append_value(value(record)).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

fn value(record: &Record) -> Value {
    let long = |number: u64| Value::Long(i64::try_from(number).unwrap_or(i64::MAX));
    let traceparent = match record.traceparent.as_deref() {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(text) => Value::Union(1, Box::new(Value::String(text.to_owned()))),
    };
    Value::Record(vec![
        ("epoch".to_owned(), Value::Int(i32::from(record.position.epoch))),
        ("partition".to_owned(), Value::Int(i32::from(record.position.partition))),
        ("position_offset".to_owned(), long(record.position.offset)),
        ("cursor".to_owned(), long(record.offset)),
        ("record_type".to_owned(), Value::String(type_name(record.record_type).to_owned())),
        ("timestamp".to_owned(), Value::TimestampMicros(record.timestamp_us)),
        ("key".to_owned(), Value::Bytes(record.key.to_vec())),
        ("traceparent".to_owned(), traceparent),
        ("value".to_owned(), Value::Bytes(record.value.to_vec())),
    ])
}

fn type_name(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Genesis => "genesis",
        RecordType::Signal => "signal",
        RecordType::Trade => "trade",
        RecordType::Void => "void",
        RecordType::Decision => "decision",
        RecordType::Setting => "setting",
        RecordType::DeadLetter => "dead_letter",
        RecordType::Unknown => "unknown",
    }
}
