//! Keys as they are stored. A change here is a new version of the data folder. Values are as [`crate::encoding`] says.
//!
//! ```text
//! a row        'r' table 0x00 key            ->  state, applied
//! progress     'p' table 0x00 partition      ->  journal id, next offset, position
//! ```
//! Numbers are big-endian.

use crate::{TableName, ViewError};

const ROW: u8 = b'r';
const PROGRESS: u8 = b'p';
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

/// The least key of a table's progress, and the least above all of it.
pub(super) fn range_of_progress(table: &TableName) -> Result<std::ops::Range<Vec<u8>>, ViewError> {
    let begin = prefixed(PROGRESS, table, &[])?;
    let mut end = begin.clone();
    if let Some(separator) = end.last_mut() {
        *separator += 1;
    }
    Ok(begin..end)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Data folders hold these bytes: they change with a new version of the folder only.
    #[test]
    fn bytes_stay() {
        let table = TableName("book-1".into());
        assert_eq!(row_key(&table, b"k").unwrap(), b"rbook-1\0k");
        assert_eq!(end_of_rows(&table).unwrap(), b"rbook-1\x01");
        assert_eq!(progress_key(&table, 258).unwrap(), b"pbook-1\0\x01\x02");
        assert_eq!(key_of_row(&table, b"rbook-1\0k"), b"k");
    }

    #[test]
    fn keys_that_can_not_be_told_apart_are_refused() {
        assert!(row_key(&TableName("a\0b".into()), b"").is_err());
        assert!(row_key(&TableName("a".into()), &[0; 70_000]).is_err());
    }
}
