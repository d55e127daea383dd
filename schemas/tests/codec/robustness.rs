//! Bytes that nobody wrote on purpose.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_schemas::{Codec, LocalRegistry, Subject, known::current};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    avro,
    registries::FakeRegistry,
    samples::{Case, Content, newest},
    strategies,
};

fn framed(subject: Subject, body: &[u8]) -> Vec<u8> {
    let mut record = vec![0];
    record.extend(current(subject).unwrap().local_id.to_be_bytes());
    record.extend(body);
    record
}

/// Whatever is accepted is an event like any other: it can be written, and read again.
fn accepted_means_sound(record: &[u8]) {
    let codec = Codec::new(LocalRegistry).unwrap();
    let event = codec.decode_event(record).map(Content::Event);
    let decision = codec.decode_decision(record).map(Box::new).map(Content::Decision);
    for content in [event, decision].into_iter().flatten() {
        let again = content.encode(&codec).unwrap();
        assert_eq!(Content::decode(&codec, content.subject(), &again).as_ref(), Ok(&content));
        let schema = avro::schema_of(content.subject());
        assert_eq!(avro::read(&again, &schema, None), avro::value_of(&content));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn random_bytes_do_no_harm(record in vec(any::<u8>(), 0..400)) {
        accepted_means_sound(&record);
    }

    #[test]
    fn random_bodies_do_no_harm(subject in proptest::sample::select(Subject::ALL.to_vec()), body in vec(any::<u8>(), 0..400)) {
        accepted_means_sound(&framed(subject, &body));
    }

    #[test]
    fn damaged_records_do_no_harm(
        content in strategies::content(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
        cuts in any::<bool>(),
    ) {
        let mut record = content.encode(&Codec::new(LocalRegistry).unwrap()).unwrap();
        for (at, byte) in changes {
            let at = at.index(record.len());
            record[at] = byte;
        }
        if cuts {
            record.truncate(cut.index(record.len()));
        }
        accepted_means_sound(&record);
    }
}

#[test]
fn a_record_ends_where_its_body_ends() {
    let codec = Codec::new(LocalRegistry).unwrap();
    for subject in Subject::ALL {
        let whole = newest(subject, Case::Full).encode(&codec).unwrap();
        for length in 0..whole.len() {
            let refused = Content::decode(&codec, subject, &whole[..length]).unwrap_err();
            assert!(!refused.is_retryable(), "{subject:?} cut to {length}: {refused}");
        }
        let longer = [&whole[..], &[0]].concat();
        let refused = Content::decode(&codec, subject, &longer).unwrap_err();
        assert_eq!(refused.to_string(), "malformed record: goes on after the end of its body");
    }
}

/// A long as Avro writes it.
fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(0x80 | rest.to_le_bytes()[0]);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
    bytes
}

/// A minimal signal with something else in the place of its features.
fn with_features(features: &[u8]) -> Vec<u8> {
    let codec = Codec::new(LocalRegistry).unwrap();
    let mut record = newest(Subject::SignalReceived, Case::Minimal).encode(&codec).unwrap();
    // No features, no spread, no session.
    let end = record.len() - 3;
    assert_eq!(record.split_off(end), [0, 0, 0]);
    record.extend(features);
    record.extend([0, 0]);
    record
}

fn feature(name: &str) -> Vec<u8> {
    [long(i64::try_from(name.len()).unwrap()), name.as_bytes().to_vec(), 1.5_f64.to_le_bytes().to_vec()].concat()
}

fn is_refused(record: &[u8], because: &str) {
    let start = Instant::now();
    let refused = Codec::new(LocalRegistry).unwrap().decode_event(record).unwrap_err();
    assert!(!refused.is_retryable() && refused.to_string().contains(because), "{refused}");
    // Far beyond what any of this needs, far below what believing a length of 2^63 would take.
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn lengths_are_not_believed() {
    // 16 bytes of an id, then the length of the user.
    for length in [i64::MAX, i64::from(u32::MAX), 1_000] {
        is_refused(&framed(Subject::SignalReceived, &[&[7; 16][..], &long(length)].concat()), "end of slice");
    }
    is_refused(&framed(Subject::SignalReceived, &[&[7; 16][..], &long(-1)].concat()), "length");
    for count in [i64::MAX, i64::MIN, 1 << 40, -(1 << 40)] {
        is_refused(&with_features(&[long(count), feature("a")].concat()), "");
    }
}

#[test]
fn features_in_blocks_are_read() {
    let codec = Codec::new(LocalRegistry).unwrap();
    // As other writers may do it: two blocks, the second with its size in bytes, in any order.
    let blocks = [long(1), feature("b"), long(-1), long(10), feature("a"), long(0)].concat();
    let record = with_features(&blocks);
    let hindcast_schemas::Event::Signal(signal) = codec.decode_event(&record).unwrap() else { panic!() };
    let names: Vec<_> = signal.features.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn features_are_few_and_have_different_names() {
    let names: Vec<_> = (0..33).map(|n| format!("{n:02}")).collect();
    let features: Vec<_> = names.iter().flat_map(|name| feature(name)).collect();
    is_refused(&with_features(&[long(33), features, long(0)].concat()), "more than 32 further features");
    is_refused(&with_features(&[long(2), feature("a"), feature("a"), long(0)].concat()), "each once");
    let infinite = [long(1), vec![2, b'a'], f64::INFINITY.to_le_bytes().to_vec(), long(0)].concat();
    is_refused(&with_features(&infinite), "not a finite number");
}

#[test]
fn a_description_of_what_is_wrong_is_short() {
    // The text is taken for a side, and the message quotes it.
    let registry = Arc::new(FakeRegistry::default());
    registry.give(9, r#"{"type": "record", "name": "SignalReceived", "fields": [{"name": "side", "type": "string"}]}"#);
    let codec = Codec::new(registry).unwrap();
    let text = "ü".repeat(100_000);
    let record = [&[0, 0, 0, 0, 9][..], &long(200_000), text.as_bytes()].concat();
    let refused = codec.decode_event(&record).unwrap_err().to_string();
    assert!(refused.len() < 250 && refused.contains('ü'), "{refused}");
}

#[test]
fn items_that_take_no_bytes_are_counted() {
    // A field that this build skips: an array of a thousand million nulls in seven bytes.
    let registry = Arc::new(FakeRegistry::default());
    registry.give(
        9,
        r#"{"type": "record", "name": "SignalReceived", "fields": [
            {"name": "nothing", "type": {"type": "array", "items": "null"}}
        ]}"#,
    );
    let codec = Codec::new(registry).unwrap();
    let record = [&[0, 0, 0, 0, 9][..], &long(1_000_000_000), &[0]].concat();
    let refused = codec.decode_event(&record).unwrap_err();
    assert!(refused.to_string().contains("max sequence size"), "{refused}");
}
