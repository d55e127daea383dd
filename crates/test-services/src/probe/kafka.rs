//! Metadata of Kafka's protocol, version 1: the brokers of a cluster as one of them knows it.

use std::{
    io,
    io::{Read, Write},
};

use super::{exactly, unexpected};

/// Length 19; Metadata (3) version 1, correlation 1, client `probe`, an empty list of topics: brokers alone.
const METADATA: [u8; 23] = [0, 0, 0, 19, 0, 3, 0, 1, 0, 0, 0, 1, 0, 5, b'p', b'r', b'o', b'b', b'e', 0, 0, 0, 0];
/// More brokers than anyone starts on one machine.
const MOST_BROKERS: i32 = 100;

pub(super) fn ask(stream: &mut (impl Read + Write), node: i32) -> io::Result<()> {
    stream.write_all(&METADATA)?;
    let _length = i32::from_be_bytes(exactly(stream)?);
    let _correlation = i32::from_be_bytes(exactly(stream)?);
    let brokers = i32::from_be_bytes(exactly(stream)?);
    if !(0..=MOST_BROKERS).contains(&brokers) {
        return Err(unexpected("it does not speak Kafka's protocol"));
    }
    for _ in 0..brokers {
        let id = i32::from_be_bytes(exactly(stream)?);
        skip_text(stream)?;
        let _port = exactly::<4>(stream)?;
        skip_text(stream)?;
        if id == node {
            return Ok(());
        }
    }
    Err(unexpected("the broker is not part of its cluster yet"))
}

/// A length, -1 for none, and so many bytes.
fn skip_text(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let length = i16::from_be_bytes(exactly(stream)?);
    let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
    stream.read_exact(&mut text)
}
