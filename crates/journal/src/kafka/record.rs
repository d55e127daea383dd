//! How a record looks on Kafka.
//!
//! | of Kafka | of ours |
//! |---|---|
//! | key, value | key, body |
//! | timestamp | when it was received, cut to milliseconds and to what brokers take |
//! | header `event-type` | what it is: the event's name |
//! | header `timestamp-us` | when it was received, exactly: microseconds since 1970, decimal |
//! | header `traceparent` | W3C trace context, if there is one |
//! | header `hindcast-position` | a restored record's first position, `EPOCH-PARTITION-OFFSET` |
//! | header `hindcast-genesis` | a genesis record's body, which has no value: a consumer that takes every value for Avro reads past it |
//!
//! Records that others wrote, without these headers, are read nevertheless.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hindcast_domain::Position;
use rdkafka::{
    Message,
    message::{BorrowedMessage, Header, Headers, OwnedHeaders},
};

use crate::{NewRecord, Record, RecordType};

const EVENT_TYPE: &str = "event-type";
const TIMESTAMP_US: &str = "timestamp-us";
const TRACEPARENT: &str = "traceparent";
const POSITION: &str = "hindcast-position";
const GENESIS: &str = "hindcast-genesis";

/// About what headers and framing add to key and body, in bytes.
pub(super) const OVERHEAD_BYTES: usize = 96;

const TYPES: [(RecordType, &str); 8] = [
    (RecordType::Genesis, "Genesis"),
    (RecordType::Signal, "SignalReceived"),
    (RecordType::Trade, "TradeClosed"),
    (RecordType::Void, "TradeVoided"),
    (RecordType::Decision, "DecisionMade"),
    (RecordType::Setting, "Setting"),
    (RecordType::DeadLetter, "DeadLetter"),
    (RecordType::Unknown, "Unknown"),
];

fn type_name(record_type: RecordType) -> &'static str {
    TYPES.iter().find(|(found, _)| *found == record_type).map_or("Unknown", |(_, name)| name)
}

fn type_of(name: &[u8]) -> RecordType {
    TYPES.iter().find(|(_, known)| known.as_bytes() == name).map_or(RecordType::Unknown, |(found, _)| *found)
}

/// What a message is, by its header.
pub(super) fn type_of_message(message: &BorrowedMessage<'_>) -> RecordType {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    let types = headers.filter(|header| header.key == EVENT_TYPE).filter_map(|header| header.value);
    types.last().map_or(RecordType::Unknown, type_of)
}

/// The headers of a new record, or of one that is restored and was first at a position.
pub(super) fn headers(record: &NewRecord, first_position: Option<Position>) -> OwnedHeaders {
    let mut digits = [0; 20];
    let timestamp = decimal(record.timestamp_us, &mut digits);
    let mut headers = OwnedHeaders::new_with_capacity(4)
        .insert(Header { key: EVENT_TYPE, value: Some(type_name(record.record_type)) })
        .insert(Header { key: TIMESTAMP_US, value: Some(timestamp) });
    if let Some(traceparent) = &record.traceparent {
        headers = headers.insert(Header { key: TRACEPARENT, value: Some(traceparent.as_bytes()) });
    }
    if let Some(position) = first_position {
        headers = headers.insert(Header { key: POSITION, value: Some(&position.to_string()) });
    }
    if record.record_type == RecordType::Genesis {
        headers = headers.insert(Header { key: GENESIS, value: Some(&record.value) });
    }
    headers
}

/// The value of a new record; none where its headers have it.
pub(super) fn value(record: &NewRecord) -> Option<&[u8]> {
    (record.record_type != RecordType::Genesis).then_some(&*record.value)
}

/// The body of a record that was read: its value, or what the headers of a genesis record have. An early build wrote genesis
/// records with a value.
pub(super) fn body<'a>(message: &'a BorrowedMessage<'_>) -> &'a [u8] {
    if let Some(value) = message.payload() {
        return value;
    }
    // A header whose name is no text, at which the library panics, is none of ours.
    let in_headers = catch_unwind(AssertUnwindSafe(|| genesis_in(message.headers()?)));
    in_headers.unwrap_or_default().unwrap_or_default()
}

fn genesis_in<H: Headers>(headers: &H) -> Option<&[u8]> {
    headers.iter().find(|header| header.key == GENESIS)?.value
}

/// A number's decimal digits, without allocating: there is one per record.
fn decimal(number: i64, into: &mut [u8; 20]) -> &[u8] {
    let mut at = into.len();
    let mut left = number.unsigned_abs();
    loop {
        at -= 1;
        if let (Some(digit), Ok(value)) = (into.get_mut(at), u8::try_from(left % 10)) {
            *digit = b'0' + value;
        }
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        if let Some(sign) = into.get_mut(at) {
            *sign = b'-';
        }
    }
    into.get(at..).unwrap_or_default()
}

/// The milliseconds that go into Kafka's own field: brokers refuse what is negative, or hours in the future.
pub(super) fn broker_timestamp_ms(timestamp_us: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    (timestamp_us / 1_000).clamp(1, now_ms.max(1))
}

/// Messages that were read, with all their bytes in one buffer, so that a record costs no allocation of its own.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    records: Vec<Unsliced>,
}

struct Unsliced {
    offset: u64,
    position: Option<Position>,
    record_type: RecordType,
    timestamp_us: i64,
    traceparent: Option<Box<str>>,
    key: Range<usize>,
    value: Range<usize>,
}

/// Records share a buffer of about this size at most, as each keeps all of it in memory.
const BATCH_BYTES: usize = 256 << 10;

impl Batch {
    /// Adds a message; moves what is there to `into` once it is enough.
    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>, place: Position, into: &mut Vec<Record>) {
        let (key, value) = (message.key().unwrap_or_default(), body(message));
        if !self.records.is_empty() && self.bytes.len() + key.len() + value.len() > BATCH_BYTES {
            self.finish(place, into);
        }
        let mut record = Unsliced {
            offset: place.offset,
            position: None,
            record_type: RecordType::Unknown,
            timestamp_us: message.timestamp().to_millis().unwrap_or(0).saturating_mul(1_000),
            traceparent: None,
            key: self.keep(key),
            value: self.keep(value),
        };
        // The library panics at a header whose name is no text; such a record must not stop its partition.
        let headers = catch_unwind(AssertUnwindSafe(|| {
            if let Some(headers) = message.headers() {
                read_headers(headers, &mut record);
            }
        }));
        if headers.is_err() {
            tracing::warn!(?place, "a record's headers can't be read");
        }
        self.records.push(record);
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Moves all records to `into`. `place` tells the epoch and the partition.
    pub(super) fn finish(&mut self, place: Position, into: &mut Vec<Record>) {
        let bytes = Bytes::from(std::mem::take(&mut self.bytes));
        into.extend(self.records.drain(..).map(|record| Record {
            offset: record.offset,
            position: record.position.unwrap_or(Position { offset: record.offset, ..place }),
            record_type: record.record_type,
            timestamp_us: record.timestamp_us,
            key: bytes.slice(record.key),
            traceparent: record.traceparent,
            value: bytes.slice(record.value),
        }));
    }
}

fn read_headers(headers: &impl Headers, record: &mut Unsliced) {
    for header in (0..).map_while(|nth| headers.try_get(nth)) {
        let Some(value) = header.value else { continue };
        match header.key {
            EVENT_TYPE => record.record_type = type_of(value),
            TIMESTAMP_US => {
                if let Some(timestamp_us) = text(value).and_then(|text| text.parse().ok()) {
                    record.timestamp_us = timestamp_us;
                }
            }
            TRACEPARENT => record.traceparent = text(value).map(Into::into),
            POSITION => record.position = text(value).and_then(|text| text.parse().ok()),
            _ => {}
        }
    }
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsliced() -> Unsliced {
        Unsliced {
            offset: 7,
            position: None,
            record_type: RecordType::Unknown,
            timestamp_us: 5_000,
            traceparent: None,
            key: 0..0,
            value: 0..0,
        }
    }

    #[test]
    fn headers_are_read_back() {
        for (record_type, _) in TYPES {
            for timestamp_us in [0, 9, -1, 1_700_000_000_123_456, i64::MAX, i64::MIN] {
                let new = NewRecord {
                    topic: crate::Topic::Journal,
                    partition: 3,
                    key: Default::default(),
                    record_type,
                    timestamp_us,
                    traceparent: Some("00-4bf9-00f0-01".into()),
                    value: b"body".to_vec(),
                };
                let first = Position { epoch: 2, partition: 3, offset: 99 };
                let mut read = unsliced();
                let headers = headers(&new, Some(first));
                read_headers(&headers, &mut read);
                let genesis = genesis_in(&headers);
                // The body is in one place.
                assert_eq!(genesis.or(value(&new)), Some(&b"body"[..]));
                assert_eq!(genesis.is_some(), value(&new).is_none());
                assert_eq!((read.record_type, read.timestamp_us), (record_type, timestamp_us));
                assert_eq!(read.traceparent.as_deref(), Some("00-4bf9-00f0-01"));
                assert_eq!(read.position, Some(first));
                assert!(broker_timestamp_ms(timestamp_us) > 0);
            }
        }
    }

    #[test]
    fn strange_headers_do_no_harm() {
        let strange = OwnedHeaders::new()
            .insert(Header { key: EVENT_TYPE, value: Some("TradeReopened") })
            .insert(Header { key: TIMESTAMP_US, value: Some("soon") })
            .insert(Header { key: TRACEPARENT, value: Some(&[0xff, 0xfe][..]) })
            .insert(Header { key: POSITION, value: Some("1-2") })
            .insert(Header { key: "another", value: None::<&str> });
        let mut read = unsliced();
        read_headers(&strange, &mut read);
        assert_eq!((read.record_type, read.timestamp_us), (RecordType::Unknown, 5_000), "Kafka's own timestamp stays");
        assert_eq!((read.traceparent, read.position), (None, None));
    }
}
