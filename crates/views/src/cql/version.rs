//! The version of a row or of progress, as the store's write timestamp: of two writes the higher one stays.
//!
//! ```text
//! 63      50 49    42 41                                   4 3    0
//! +---------+--------+--------------------------------------+------+
//! |    0    | epoch  |  offset                              | sub  |
//! +---------+--------+--------------------------------------+------+
//! ```
//! All versions are below any wall-clock timestamp (microseconds since 1970, above 2^50 since 2005), so that a statement
//! without one of ours would be noticed at once: nothing could be written over it. The sub-sequence tells a deletion from
//! what replaces it at the same position; nothing is deleted, and it is 0.
//!
//! A row of an earlier epoch is older than any of a later one, wherever its record stands now: a restored log holds its
//! records in the order of their first positions, so versions rise along it. Two logs with the same first positions never
//! write to one table, as a projector refuses progress of another journal.
//!
//! Two writes of one version have the same bytes: a row is its journal's prefix, folded. Should they ever differ, the
//! store keeps the greater value; as there is one for the whole row, it is one of the two and no mixture.

use hindcast_domain::Position;

use crate::{TableName, ViewError};

const SUB_BITS: u32 = 4;
const OFFSET_BITS: u32 = 38;
/// One past the highest offset that a version can hold.
const OFFSETS: u64 = 1 << OFFSET_BITS;

/// The version of a row.
pub(super) fn of_row(table: &TableName, applied: Position) -> Result<i64, ViewError> {
    version(applied.epoch, applied.offset).ok_or_else(|| overflow(table, applied.offset))
}

/// The version of a partition's progress. Within a journal it is the cursor; `turn` counts journals that took another
/// one's place.
pub(super) fn of_progress(table: &TableName, turn: u8, next_offset: u64) -> Result<i64, ViewError> {
    version(turn, next_offset).ok_or_else(|| overflow(table, next_offset))
}

/// The turn of progress that was read.
pub(super) fn turn_of(version: i64) -> Option<u8> {
    u8::try_from(version >> (OFFSET_BITS + SUB_BITS)).ok()
}

fn version(high: u8, offset: u64) -> Option<i64> {
    let offset = i64::try_from(offset).ok().filter(|_| offset < OFFSETS)?;
    Some((i64::from(high) << (OFFSET_BITS + SUB_BITS)) | (offset << SUB_BITS))
}

fn overflow(table: &TableName, offset: u64) -> ViewError {
    let detail = format!(
        "{}: offset {offset} is beyond what a row's version can hold (2^38 - 1); \
         archive the journal and restore it, which begins a new epoch at offset 0",
        table.0
    );
    ViewError { retryable: false, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: u8, offset: u64) -> Result<i64, ViewError> {
        of_row(&TableName("t".into()), Position { epoch, partition: 9, offset })
    }

    #[test]
    fn epoch_then_offset_then_sub_sequence() {
        assert_eq!(row(0, 0).unwrap(), 0);
        assert_eq!(row(0, 1).unwrap(), 16);
        assert_eq!(row(1, 0).unwrap(), 1 << 42);
        assert_eq!(row(255, OFFSETS - 1).unwrap(), (1 << 50) - 16);
        assert!(row(0, OFFSETS - 1).unwrap() < row(1, 0).unwrap());
        // A wall clock of 2006, microseconds.
        assert!(row(255, OFFSETS - 1).unwrap() < 1_136_073_600_000_000);
    }

    #[test]
    fn what_does_not_fit_is_refused_for_good() {
        for offset in [OFFSETS, OFFSETS * 2, u64::MAX] {
            let refused = row(0, offset).unwrap_err();
            assert!(!refused.retryable && refused.detail.contains("2^38"), "{refused}");
        }
    }

    #[test]
    fn turns_are_read_back() {
        for turn in [0, 1, 255] {
            let version = of_progress(&TableName("t".into()), turn, OFFSETS - 1).unwrap();
            assert_eq!(turn_of(version), Some(turn));
        }
        // A wall clock's: not one of ours.
        assert_eq!(turn_of(1_700_000_000_000_000), None);
    }
}
