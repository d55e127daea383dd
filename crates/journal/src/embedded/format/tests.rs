use proptest::prelude::*;

use super::*;
use crate::Topic;

const PLACE: ChunkPlace = ChunkPlace { epoch: 2, partition: 5, last_offset: 41 };

fn record(record_type: RecordType, key: &[u8], traceparent: Option<&str>, value: &[u8]) -> NewRecord {
    NewRecord {
        topic: Topic::Journal,
        partition: 5,
        key: key.into(),
        record_type,
        timestamp_us: -7,
        traceparent: traceparent.map(Into::into),
        value: value.to_vec(),
    }
}

fn chunk_of(records: &[(NewRecord, Option<Position>)]) -> Bytes {
    let mut chunk = ChunkBuilder::new();
    for (record, first) in records {
        let mut encoded = Vec::new();
        encode_record(record, *first, &mut encoded);
        chunk.add(1, &encoded);
    }
    chunk.finish().into()
}

/// These bytes are on the disks of users: if this fails, a new version is needed, and this one must stay readable.
#[test]
fn bytes_of_version_1_stay_as_they_are() {
    let first = Position { epoch: 1, partition: 5, offset: 300 };
    let chunk = chunk_of(&[(record(RecordType::Trade, b"al", Some("00-a"), b"xyz"), Some(first))]);
    let expected: &[u8] = &[
        1, 1, 0, 0, 0, // version, one record
        3, 3, // a trade, with traceparent and first position
        0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // timestamp -7
        4, b'0', b'0', b'-', b'a', // traceparent
        1, 0xac, 2, // epoch 1, offset 300
        2, b'a', b'l', 3, b'x', b'y', b'z', // key, body
    ];
    assert_eq!(&*chunk, expected);
    let read = ChunkRecords::from(chunk, PLACE, 0).unwrap().next().unwrap().unwrap();
    assert_eq!((read.offset, read.position), (41, first));
}

#[test]
fn every_type_has_a_code_of_its_own() {
    let types = [
        RecordType::Genesis,
        RecordType::Signal,
        RecordType::Trade,
        RecordType::Void,
        RecordType::Decision,
        RecordType::Setting,
        RecordType::DeadLetter,
        RecordType::Unknown,
    ];
    for record_type in types {
        assert_eq!(type_of(type_code(record_type)), record_type);
    }
    assert_eq!(type_of(200), RecordType::Unknown, "a type of a newer version");
}

#[test]
fn reading_starts_in_the_middle() {
    let records: Vec<_> = (0..5_u8).map(|n| (record(RecordType::Signal, b"user", None, &[n]), None)).collect();
    let mut chunk = ChunkRecords::from(chunk_of(&records), PLACE, 39).unwrap();
    assert_eq!(chunk.next_offset(), 39);
    for (offset, value) in [(39, 2_u8), (40, 3), (41, 4)] {
        let read = chunk.next().unwrap().unwrap();
        assert_eq!((read.offset, &*read.value), (offset, &[value][..]));
        assert_eq!(read.position, Position { epoch: 2, partition: 5, offset });
    }
    assert!(chunk.next().unwrap().is_none());
}

#[test]
fn what_is_no_chunk_is_an_error() {
    for bytes in [&b""[..], &[1], &[1, 0, 0, 0, 0], &[9, 1, 0, 0, 0], &[1, 99, 0, 0, 0]] {
        assert!(ChunkRecords::from(Bytes::copy_from_slice(bytes), PLACE, 0).is_err(), "{bytes:?}");
    }
    let whole = chunk_of(&[(record(RecordType::Void, b"user", None, b"body"), None)]);
    for end in HEADER_BYTES..whole.len() {
        let mut cut = ChunkRecords::from(whole.slice(..end), PLACE, 0).unwrap();
        assert!(cut.next().is_err(), "cut at {end}");
    }
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(
        records in proptest::collection::vec(
            (
                proptest::collection::vec(any::<u8>(), 0..300),
                proptest::option::of("[ -~]{0,200}"),
                proptest::collection::vec(any::<u8>(), 0..20_000),
                any::<i64>(),
                proptest::option::of((any::<u8>(), any::<u64>())),
            ),
            1..8,
        )
    ) {
        let written: Vec<_> = records
            .iter()
            .map(|(key, traceparent, value, timestamp_us, first)| {
                let record = NewRecord {
                    timestamp_us: *timestamp_us,
                    ..record(RecordType::Decision, key, traceparent.as_deref(), value)
                };
                (record, first.map(|(epoch, offset)| Position { epoch, partition: 5, offset }))
            })
            .collect();
        let mut chunk = ChunkRecords::from(chunk_of(&written), PLACE, 0).unwrap();
        for (record, first) in &written {
            let read = chunk.next().unwrap().unwrap();
            prop_assert_eq!(&*read.key, &*record.key);
            prop_assert_eq!(&*read.value, &*record.value);
            prop_assert_eq!(read.traceparent, record.traceparent.clone());
            prop_assert_eq!(read.timestamp_us, record.timestamp_us);
            prop_assert_eq!(read.position, first.unwrap_or(Position { epoch: 2, partition: 5, offset: read.offset }));
        }
        prop_assert!(chunk.next().unwrap().is_none());
    }

    #[test]
    fn garbage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), from in 0..60_u64) {
        if let Ok(mut chunk) = ChunkRecords::from(Bytes::from(bytes), PLACE, from) {
            while let Ok(Some(_)) = chunk.next() {}
        }
    }
}
