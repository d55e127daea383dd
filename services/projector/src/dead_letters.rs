//! Notices of records that no fold could use.

use hindcast_fold::admission::Unusable;
use hindcast_journal::{NewRecord, Record, RecordType, Topic};
use serde::Serialize;

#[derive(Serialize)]
struct Notice<'a> {
    position: hindcast_domain::Position,
    reason: &'a str,
    detail: &'a str,
    /// The record's body, two hex digits a byte.
    body_hex: String,
}

/// Most bytes of a body that a notice repeats; the journal has the rest.
const MAX_BODY_BYTES: usize = 64 << 10;

pub(crate) fn notice(record: &Record, reason: &Unusable, detail: &str) -> NewRecord {
    let kept = record.value.get(..MAX_BODY_BYTES).unwrap_or(&record.value);
    let notice = Notice {
        position: record.position,
        reason: reason.as_str(),
        detail,
        body_hex: kept.iter().fold(String::with_capacity(kept.len() * 2), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
            text
        }),
    };
    NewRecord {
        topic: Topic::DeadLetters,
        partition: record.position.partition,
        key: record.key.as_ref().into(),
        record_type: RecordType::DeadLetter,
        timestamp_us: record.timestamp_us,
        traceparent: record.traceparent.clone(),
        value: serde_json::to_vec(&notice).unwrap_or_default(),
    }
}
