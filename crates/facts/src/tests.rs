use bytes::Bytes;
use hindcast_domain::{Position, Side, TimestampUs};
use hindcast_schemas::{Event, LocalRegistry, Registry, RegistryError, SignalReceived};
use uuid::Uuid;

use super::*;

fn signal() -> Event<'static> {
    Event::Signal(SignalReceived {
        event_id: Uuid::from_u128(7),
        user_id: "trader-1".into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: TimestampUs(1),
        received_at: TimestampUs(2),
        import: None,
        side: Side::Long,
        price_e9: None,
        rsi: Some(28.0),
        vwap_e9: None,
        vwap_distance_percent: None,
        vwap_distance_abs_percent: Some(0.13),
        volume: None,
        atr: None,
        volume_ratio: None,
        features: Vec::new(),
        spread: None,
        session: None,
    })
}

fn record(key: &[u8], record_type: RecordType, value: Vec<u8>) -> Record {
    Record {
        offset: 3,
        position: Position { epoch: 0, partition: 0, offset: 3 },
        record_type,
        timestamp_us: 2,
        key: Bytes::copy_from_slice(key),
        traceparent: None,
        value: Bytes::from(value),
    }
}

fn encoded(codec: &Codec) -> Vec<u8> {
    let mut value = Vec::new();
    codec.encode_event(&signal(), &mut value).unwrap();
    value
}

#[test]
fn an_event_is_read_whatever_its_header_says() {
    let codec = Codec::new(LocalRegistry).unwrap();
    for record_type in [RecordType::Signal, RecordType::Unknown] {
        let record = record(b"trader-1", record_type, encoded(&codec));
        let fact = read_journaled(&codec, &record).unwrap();
        assert_eq!(fact, Journaled::Fact { user: "trader-1", input: Input::Event(signal()) });
    }
}

#[test]
fn markers_and_records_of_nobody() {
    let codec = Codec::new(LocalRegistry).unwrap();
    let genesis = record(b"", RecordType::Genesis, b"{}".to_vec());
    assert_eq!(read_journaled(&codec, &genesis), Ok(Journaled::Marker));
    for key in [b"".as_slice(), b"abc\0def", b"\xff\xfe\xfd\xfc\xfb", b"abcd"] {
        let record = record(key, RecordType::Signal, encoded(&codec));
        assert_eq!(read_journaled(&codec, &record), Ok(Journaled::Ownerless), "{key:?}");
    }
}

#[test]
fn what_can_never_be_read_is_unusable() {
    let codec = Codec::new(LocalRegistry).unwrap();
    for (record_type, expected) in [
        (RecordType::Signal, Unusable::Undecodable),
        (RecordType::Void, Unusable::Undecodable),
        (RecordType::Unknown, Unusable::UnknownType),
        (RecordType::Decision, Unusable::UnknownType),
    ] {
        for value in [Vec::new(), b"not a record".to_vec(), encoded(&codec)[..9].to_vec()] {
            let record = record(b"trader-1", record_type, value);
            match read_journaled(&codec, &record).unwrap() {
                Journaled::Fact { user: "trader-1", input: Input::Unusable { reason, detail } } => {
                    assert_eq!(reason, expected);
                    assert!(!detail.is_empty());
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A registry that knows what it must to make a codec, and is away when asked for anything else.
struct Away;

impl Registry for Away {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        LocalRegistry.id_of(subject, schema_json)
    }

    fn schema_of(&self, _id: u32) -> Result<Option<std::sync::Arc<str>>, RegistryError> {
        Err(RegistryError { retryable: true, detail: "away".to_owned() })
    }
}

#[test]
fn a_schema_that_cannot_be_fetched_is_no_bad_data() {
    let codec = Codec::new(Away).unwrap();
    let mut value = encoded(&codec);
    value[1..5].copy_from_slice(&90_000_u32.to_be_bytes());
    let record = record(b"trader-1", RecordType::Signal, value);
    assert!(read_journaled(&codec, &record).unwrap_err().is_retryable());
}
