//! Keys and values as they are stored. A change here is a new version of the data folder.
//!
//! ```text
//! a row        'r' table 0x00 key            ->  state, applied
//! progress     'p' table 0x00 partition      ->  journal id, next offset, position
//! ```
//! Numbers are big-endian. A row's `applied` stands behind its state, so that neither has to be moved to write or to
//! read the other.

use hindcast_domain::Position;
use uuid::Uuid;

use crate::{Progress, Row, TableName, ViewError};

const ROW: u8 = b'r';
const PROGRESS: u8 = b'p';
const POSITION_BYTES: usize = 1 + 2 + 8;
/// The longest key that the engine takes, with the table's name before it.
const MAX_KEY_BYTES: usize = u16::MAX as usize;

pub(super) fn row_key(table: &TableName, key: &[u8]) -> Result<Vec<u8>, ViewError> {
    prefixed(ROW, table, key)
}

pub(super) fn progress_key(table: &TableName, partition: u16) -> Result<Vec<u8>, ViewError> {
    prefixed(PROGRESS, table, &partition.to_be_bytes())
}

/// The least key above all rows of a table.
pub(super) fn end_of_rows(table: &TableName) -> Result<Vec<u8>, ViewError> {
    let mut end = row_key(table, &[])?;
    if let Some(separator) = end.last_mut() {
        *separator += 1;
    }
    Ok(end)
}

/// The row's key within its table.
pub(super) fn key_of_row<'a>(table: &TableName, stored_key: &'a [u8]) -> &'a [u8] {
    stored_key.get(table.0.len() + 2..).unwrap_or_default()
}

fn prefixed(kind: u8, table: &TableName, key: &[u8]) -> Result<Vec<u8>, ViewError> {
    let name = table.0.as_bytes();
    let bytes = name.len() + 2 + key.len();
    if bytes > MAX_KEY_BYTES || name.contains(&0) {
        let detail = format!("{:?} can't be stored: a table's name or a key of {bytes} bytes is out of range", table.0);
        return Err(ViewError { retryable: false, detail });
    }
    let mut full = Vec::with_capacity(bytes);
    full.push(kind);
    full.extend_from_slice(name);
    full.push(0);
    full.extend_from_slice(key);
    Ok(full)
}

pub(super) fn encode_row(mut state: Vec<u8>, applied: Position) -> Vec<u8> {
    state.reserve_exact(POSITION_BYTES);
    put_position(&mut state, applied);
    state
}

pub(super) fn applied_of(value: &[u8]) -> Option<Position> {
    value.split_last_chunk().and_then(|(_, position)| get_position(position))
}

pub(super) fn decode_row(value: &[u8]) -> Option<Row> {
    let (state, position) = value.split_last_chunk::<POSITION_BYTES>()?;
    Some(Row { applied: get_position(position)?, state: state.to_vec() })
}

pub(super) fn encode_progress(progress: &Progress) -> Vec<u8> {
    let mut value = Vec::with_capacity(16 + 8 + POSITION_BYTES);
    value.extend_from_slice(progress.journal_id.as_bytes());
    value.extend_from_slice(&progress.next_offset.to_be_bytes());
    put_position(&mut value, progress.position);
    value
}

pub(super) fn decode_progress(value: &[u8]) -> Option<Progress> {
    let (journal_id, rest) = value.split_first_chunk::<16>()?;
    let (next_offset, position) = rest.split_first_chunk::<8>()?;
    Some(Progress {
        journal_id: Uuid::from_bytes(*journal_id),
        next_offset: u64::from_be_bytes(*next_offset),
        position: get_position(position.first_chunk()?)?,
    })
}

fn put_position(into: &mut Vec<u8>, position: Position) {
    into.push(position.epoch);
    into.extend_from_slice(&position.partition.to_be_bytes());
    into.extend_from_slice(&position.offset.to_be_bytes());
}

fn get_position(bytes: &[u8; POSITION_BYTES]) -> Option<Position> {
    let ([epoch], rest) = bytes.split_first_chunk::<1>()?;
    let (partition, offset) = rest.split_first_chunk::<2>()?;
    Some(Position {
        epoch: *epoch,
        partition: u16::from_be_bytes(*partition),
        offset: u64::from_be_bytes(*offset.first_chunk()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Position = Position { epoch: 3, partition: 258, offset: 1 << 40 };

    #[test]
    fn rows_and_progress_and_back() {
        let row = Row { applied: POSITION, state: b"state".to_vec() };
        let value = encode_row(row.state.clone(), POSITION);
        assert_eq!(decode_row(&value), Some(row));
        assert_eq!(applied_of(&value), Some(POSITION));
        assert_eq!(decode_row(b"short"), None);

        let progress = Progress { journal_id: Uuid::from_u128(7), next_offset: 9, position: POSITION };
        assert_eq!(decode_progress(&encode_progress(&progress)), Some(progress));
        assert_eq!(decode_progress(b"short"), None);
    }

    /// Data folders hold these bytes: they change with a new version of the folder only.
    #[test]
    fn bytes_stay() {
        let table = TableName("book-1".into());
        assert_eq!(row_key(&table, b"k").unwrap(), b"rbook-1\0k");
        assert_eq!(end_of_rows(&table).unwrap(), b"rbook-1\x01");
        assert_eq!(progress_key(&table, 258).unwrap(), b"pbook-1\0\x01\x02");
        assert_eq!(key_of_row(&table, b"rbook-1\0k"), b"k");
        assert_eq!(encode_row(b"state".to_vec(), POSITION), b"state\x03\x01\x02\0\0\x01\0\0\0\0\0");
    }

    #[test]
    fn keys_that_can_not_be_told_apart_are_refused() {
        assert!(row_key(&TableName("a\0b".into()), b"").is_err());
        assert!(row_key(&TableName("a".into()), &[0; 70_000]).is_err());
    }
}
