//! How records lie on the disk.
//!
//! Records of one partition that were written together share a chunk, so that storage and scans pay their overhead
//! once per chunk. A chunk's key is the offset of its *last* record (big-endian): the first key at or after an offset
//! is then the chunk that holds it, and the last key of all tells where the partition ends.
//!
//! ```text
//! chunk   version u8 = 1 | records u32 | record...
//! record  type u8 | flags u8 | timestamp_us i64 | [traceparent] | [first position: epoch u8, offset varint] | key | body
//! ```
//! Integers are little-endian; traceparent, key and body are preceded by their length as a varint (LEB128). Checksums
//! are the storage's business.

use bytes::Bytes;
use hindcast_domain::Position;

use crate::{LogError, NewRecord, Outcome, Record, RecordType};

/// Bytes before the first record of a chunk.
const HEADER_BYTES: usize = 5;
const VERSION: u8 = 1;
const HAS_TRACEPARENT: u8 = 1;
/// The record was restored and keeps the position it was given first.
const HAS_FIRST_POSITION: u8 = 2;

/// Chunks are closed at this size: large enough to make their overhead vanish, small enough that reading one record
/// from the middle doesn't read much else. A single larger record has a chunk of its own.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;

/// A chunk being filled.
#[derive(Debug)]
pub(crate) struct ChunkBuilder {
    records: u32,
    bytes: Vec<u8>,
}

impl ChunkBuilder {
    pub(crate) fn new() -> Self {
        Self { records: 0, bytes: vec![VERSION, 0, 0, 0, 0] }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether that many bytes of records can be added without making it too large.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.is_empty() || self.bytes.len() + bytes <= CHUNK_BYTES
    }

    /// Adds records that were encoded with [`encode_record`].
    pub(crate) fn add(&mut self, records: u32, encoded: &[u8]) {
        self.records += records;
        self.bytes.extend_from_slice(encoded);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        for (byte, counted) in self.bytes.iter_mut().skip(1).zip(self.records.to_le_bytes()) {
            *byte = counted;
        }
        self.bytes
    }
}

/// Appends one record; `first` is the position it was given first, if that was in another log.
pub(crate) fn encode_record(record: &NewRecord, first: Option<Position>, into: &mut Vec<u8>) {
    let mut flags = 0;
    if record.traceparent.is_some() {
        flags |= HAS_TRACEPARENT;
    }
    if first.is_some() {
        flags |= HAS_FIRST_POSITION;
    }
    into.extend_from_slice(&[type_code(record.record_type), flags]);
    into.extend_from_slice(&record.timestamp_us.to_le_bytes());
    if let Some(traceparent) = &record.traceparent {
        put_bytes(into, traceparent.as_bytes());
    }
    if let Some(first) = first {
        into.push(first.epoch);
        put_varint(into, first.offset);
    }
    put_bytes(into, &record.key);
    put_bytes(into, &record.value);
}

/// Room for what [`encode_record`] appends for a record without a first position.
pub(crate) fn encoded_bytes_at_most(record: &NewRecord) -> usize {
    const FIXED_BYTES: usize = 2 + 8;
    // Three lengths as varints of up to five bytes: nothing here is as large as 32 GiB.
    const LENGTHS_BYTES: usize = 3 * 5;
    let traceparent = record.traceparent.as_ref().map_or(0, |traceparent| traceparent.len());
    FIXED_BYTES + LENGTHS_BYTES + traceparent + record.key.len() + record.value.len()
}

/// Where a chunk stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkPlace {
    pub(crate) epoch: u8,
    pub(crate) partition: u16,
    pub(crate) last_offset: u64,
}

/// The records of a chunk, from an offset on.
#[derive(Debug)]
pub(crate) struct ChunkRecords {
    chunk: Bytes,
    place: ChunkPlace,
    at: usize,
    next_offset: u64,
}

impl ChunkRecords {
    /// Starts at `from_offset`, or at the chunk's first record if that comes later.
    ///
    /// # Errors
    /// When the bytes are no chunk.
    pub(crate) fn from(chunk: Bytes, place: ChunkPlace, from_offset: u64) -> Result<Self, LogError> {
        let damaged = || damaged(place, "not a chunk of records");
        let (&version, rest) = chunk.split_first().ok_or_else(damaged)?;
        if version != VERSION {
            return Err(self::damaged(place, "a chunk of an unknown version"));
        }
        let (records, _) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let records = u64::from(u32::from_le_bytes(*records));
        let first = (place.last_offset + 1).checked_sub(records).filter(|_| records > 0).ok_or_else(damaged)?;
        let mut found = Self { chunk, place, at: HEADER_BYTES, next_offset: first };
        while found.next_offset < from_offset && found.next_offset <= place.last_offset {
            found.skip().ok_or_else(damaged)?;
        }
        Ok(found)
    }

    /// The offset of the record that comes next.
    pub(crate) fn next_offset(&self) -> u64 {
        self.next_offset
    }

    /// The next record, if there is one.
    ///
    /// # Errors
    /// When the bytes are no record.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, LogError> {
        if self.next_offset > self.place.last_offset {
            return Ok(None);
        }
        self.decode().map(Some).ok_or_else(|| damaged(self.place, "not a record"))
    }

    fn rest(&self) -> Cursor<'_> {
        Cursor { rest: self.chunk.get(self.at..).unwrap_or_default() }
    }

    fn move_to(&mut self, rest_bytes: usize) {
        self.at = self.chunk.len() - rest_bytes;
        self.next_offset += 1;
    }

    fn skip(&mut self) -> Option<()> {
        let mut cursor = self.rest();
        Fields::read(&mut cursor)?;
        let rest_bytes = cursor.rest.len();
        self.move_to(rest_bytes);
        Some(())
    }

    fn decode(&mut self) -> Option<Record> {
        let mut cursor = self.rest();
        let fields = Fields::read(&mut cursor)?;
        let rest_bytes = cursor.rest.len();
        let traceparent = match fields.traceparent {
            Some(bytes) => Some(str::from_utf8(bytes).ok()?.into()),
            None => None,
        };
        let (epoch, offset) = fields.first_position.unwrap_or((self.place.epoch, self.next_offset));
        let record = Record {
            offset: self.next_offset,
            position: Position { epoch, partition: self.place.partition, offset },
            record_type: type_of(fields.type_code),
            timestamp_us: fields.timestamp_us,
            key: self.chunk.slice_ref(fields.key),
            traceparent,
            value: self.chunk.slice_ref(fields.value),
        };
        self.move_to(rest_bytes);
        Some(record)
    }
}

fn damaged(place: ChunkPlace, what: &str) -> LogError {
    LogError {
        retryable: false,
        outcome: Outcome::NotStored,
        detail: format!("{what} up to offset {} of partition {}", place.last_offset, place.partition),
    }
}

/// One record's fields as they lie.
struct Fields<'a> {
    type_code: u8,
    timestamp_us: i64,
    traceparent: Option<&'a [u8]>,
    first_position: Option<(u8, u64)>,
    key: &'a [u8],
    value: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let type_code = cursor.byte()?;
        let flags = cursor.byte()?;
        let timestamp_us = i64::from_le_bytes(*cursor.array()?);
        let traceparent = if flags & HAS_TRACEPARENT == 0 { None } else { Some(cursor.sized()?) };
        let first_position =
            if flags & HAS_FIRST_POSITION == 0 { None } else { Some((cursor.byte()?, cursor.varint()?)) };
        Some(Self {
            type_code,
            timestamp_us,
            traceparent,
            first_position,
            key: cursor.sized()?,
            value: cursor.sized()?,
        })
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(array)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }
}

#[allow(clippy::cast_possible_truncation)] // what is pushed has at most seven bits
fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

/// Codes are for ever; a new type gets the next number.
fn type_code(record_type: RecordType) -> u8 {
    match record_type {
        RecordType::Genesis => 1,
        RecordType::Signal => 2,
        RecordType::Trade => 3,
        RecordType::Void => 4,
        RecordType::Decision => 5,
        RecordType::Setting => 6,
        RecordType::DeadLetter => 7,
        RecordType::Unknown => 0,
    }
}

fn type_of(code: u8) -> RecordType {
    match code {
        1 => RecordType::Genesis,
        2 => RecordType::Signal,
        3 => RecordType::Trade,
        4 => RecordType::Void,
        5 => RecordType::Decision,
        6 => RecordType::Setting,
        7 => RecordType::DeadLetter,
        _ => RecordType::Unknown,
    }
}

#[cfg(test)]
mod tests;
