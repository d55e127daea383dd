//! Values as every store keeps them. Changing them makes stored views unreadable: it takes a new version of the stores.
//!
//! ```text
//! a row        state, applied
//! progress     journal id (16 bytes), next offset u64, position
//! a position   epoch u8, partition u16, offset u64
//! ```
//! Numbers are big-endian. A row's `applied` stands behind its state, so that neither has to be moved to write or to
//! read the other.

use hindcast_domain::Position;
use uuid::Uuid;

use crate::{Progress, Row};

const POSITION_BYTES: usize = 1 + 2 + 8;

pub(crate) fn encode_row(mut state: Vec<u8>, applied: Position) -> Vec<u8> {
    state.reserve_exact(POSITION_BYTES);
    put_position(&mut state, applied);
    state
}

pub(crate) fn applied_of(value: &[u8]) -> Option<Position> {
    value.split_last_chunk().and_then(|(_, position)| get_position(position))
}

pub(crate) fn decode_row(value: &[u8]) -> Option<Row> {
    let (state, position) = value.split_last_chunk::<POSITION_BYTES>()?;
    Some(Row { applied: get_position(position)?, state: state.to_vec() })
}

pub(crate) fn encode_progress(progress: &Progress) -> Vec<u8> {
    let mut value = Vec::with_capacity(16 + 8 + POSITION_BYTES);
    value.extend_from_slice(progress.journal_id.as_bytes());
    value.extend_from_slice(&progress.next_offset.to_be_bytes());
    put_position(&mut value, progress.position);
    value
}

pub(crate) fn decode_progress(value: &[u8]) -> Option<Progress> {
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

    /// Stores hold these bytes.
    #[test]
    fn bytes_stay() {
        assert_eq!(encode_row(b"state".to_vec(), POSITION), b"state\x03\x01\x02\0\0\x01\0\0\0\0\0");
        let progress = Progress { journal_id: Uuid::from_u128(7), next_offset: 9, position: POSITION };
        let mut bytes = vec![0; 15];
        bytes.extend(b"\x07\0\0\0\0\0\0\0\x09\x03\x01\x02\0\0\x01\0\0\0\0\0");
        assert_eq!(encode_progress(&progress), bytes);
    }
}
