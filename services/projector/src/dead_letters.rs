//! Notices of records that no fold could use.
//!
//! Only the live projector publishes them; a rebuild and a replay have no side effects. A crash may repeat a notice; it
//! names its record's position.

use std::sync::Arc;

use hindcast_journal::{NewRecord, Record, RecordType, Topic};
use serde::Serialize;

/// Whether a projector publishes notices. Of several that keep generations up, the one whose generations are read does.
#[derive(Clone)]
pub enum Notices {
    /// Of every record.
    All,
    /// Of none: it builds what nobody reads.
    None,
    /// Of those records for whose timestamp, microseconds since 1970, this is true.
    Of(Arc<dyn Fn(i64) -> bool + Send + Sync>),
}

impl Notices {
    pub(crate) fn are_of(&self, record: &Record) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Of(is_told) => is_told(record.timestamp_us),
        }
    }
}

#[derive(Serialize)]
struct Notice<'a> {
    position: hindcast_domain::Position,
    reason: &'a str,
    detail: &'a str,
    /// Bytes of the body; more than are repeated here when it is a large one.
    body_bytes: usize,
    /// The record's body, two hex digits a byte.
    body_hex: String,
}

/// Reason of a record whose key is no user id: it has no state that could count it.
pub(crate) const OWNERLESS: &str = "ownerless";
/// Detail of the same.
pub(crate) const OWNERLESS_DETAIL: &str = "the record's key is no user id";
/// Notices that may wait; more are published at once, with what was folded until then.
pub(crate) const MAX_WAITING: usize = 64;
/// Most bytes of a body that a notice repeats; the journal has the rest.
const MAX_BODY_BYTES: usize = 64 << 10;

pub(crate) fn notice(record: &Record, reason: &str, detail: &str) -> NewRecord {
    let kept = record.value.get(..MAX_BODY_BYTES).unwrap_or(&record.value);
    let body_hex = kept.iter().fold(String::with_capacity(kept.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    });
    let notice = Notice { position: record.position, reason, detail, body_bytes: record.value.len(), body_hex };
    NewRecord {
        topic: Topic::DeadLetters,
        partition: record.position.partition,
        key: record.key.as_ref().into(),
        record_type: RecordType::DeadLetter,
        timestamp_us: record.timestamp_us,
        traceparent: record.traceparent.clone(),
        // Nothing in it can fail to be JSON: texts and whole numbers.
        value: serde_json::to_vec(&notice).unwrap_or_default(),
    }
}
