//! How states become bytes: little-endian, fixed width for what is large, variable width for what is mostly small.
//!
//! A row begins with one byte, the version of its encoding. The same state always gives the same bytes. Reading is
//! total: any bytes give a state or an error, and nothing is allocated that the bytes could not fill.

use hindcast_domain::{MoneyE9, Position, TimestampUs};
use uuid::Uuid;

/// Why bytes are no row of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The row was written by a newer version, or is no row at all.
    #[error("the row has encoding version {found}; this version reads up to {newest}")]
    UnknownVersion {
        /// Version of the row.
        found: u8,
        /// Newest version that can be read.
        newest: u8,
    },
    /// The bytes end within a part of the row, or can't be what should be there.
    #[error("the row is damaged at its {0}")]
    Damaged(&'static str),
    /// Bytes follow the last value.
    #[error("the row has {0} bytes too many")]
    TooLong(usize),
}

/// Where positions are counted from at the start of a row.
pub(crate) const NO_POSITION: Position = Position { epoch: 0, partition: 0, offset: 0 };

/// Writes values of a row.
pub(crate) trait Put {
    fn put(&mut self, bytes: &[u8]);

    fn byte(&mut self, value: u8) {
        self.put(&[value]);
    }

    /// Seven bits a byte, least significant first.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.byte(value.to_le_bytes()[0]);
    }

    fn length(&mut self, value: usize) {
        // No platform has a usize beyond 64 bits.
        self.varint(u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn uuid(&mut self, value: Uuid) {
        self.put(value.as_bytes());
    }

    fn money(&mut self, value: MoneyE9) {
        self.put(&value.0.to_le_bytes());
    }

    fn sum(&mut self, value: i128) {
        self.put(&value.to_le_bytes());
    }

    fn float(&mut self, value: f64) {
        self.put(&value.to_bits().to_le_bytes());
    }

    fn text(&mut self, value: &str) {
        self.length(value.len());
        self.put(value.as_bytes());
    }

    /// A position, mostly in two bytes when it is near the one before.
    fn position(&mut self, previous: &mut Position, value: Position) {
        if (value.epoch, value.partition) == (previous.epoch, previous.partition) {
            self.byte(0);
            self.varint(zigzag(value.offset.wrapping_sub(previous.offset)));
        } else {
            self.byte(1);
            self.byte(value.epoch);
            self.put(&value.partition.to_le_bytes());
            self.varint(value.offset);
        }
        *previous = value;
    }

    fn applied(&mut self, previous: &mut Position, value: Option<Position>) {
        match value {
            None => self.byte(2),
            Some(position) => self.position(previous, position),
        }
    }
}

impl Put for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Differences of either sign become small numbers.
fn zigzag(difference: u64) -> u64 {
    (difference << 1) ^ if difference >> 63 == 1 { u64::MAX } else { 0 }
}

fn unzigzag(value: u64) -> u64 {
    (value >> 1) ^ if value & 1 == 1 { u64::MAX } else { 0 }
}

/// Reads values of a row: each call takes what it reads from the front, or gives `None` for what is no such value.
///
/// Rows are read far more often than they are damaged, so the calls say only that something is wrong; their callers
/// name the part of the row with [`RowError::Damaged`].
#[derive(Debug)]
pub(crate) struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Begins a row of a version up to `newest`; there is no version 0.
    pub(crate) fn of_row(row: &'a [u8], newest: u8) -> Result<Self, RowError> {
        match row.split_first() {
            None => Err(RowError::Damaged("version")),
            Some((&found, rest)) if found != 0 && found <= newest => Ok(Self(rest)),
            Some((&found, _)) => Err(RowError::UnknownVersion { found, newest }),
        }
    }

    /// Values in one piece, the length of which was checked once for all of them.
    #[inline]
    pub(crate) fn of_array<const N: usize>(array: &'a [u8; N]) -> Self {
        Self(array)
    }

    /// Ends a row.
    pub(crate) fn end(self) -> Result<(), RowError> {
        if self.0.is_empty() { Ok(()) } else { Err(RowError::TooLong(self.0.len())) }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(array)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(|bytes| u16::from_le_bytes(*bytes))
    }

    #[inline]
    pub(crate) fn time(&mut self) -> Option<TimestampUs> {
        self.array().map(|bytes| TimestampUs(i64::from_le_bytes(*bytes)))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let byte = self.byte()?;
        if byte < 0x80 { Some(byte.into()) } else { self.long_varint(byte) }
    }

    fn long_varint(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A number of values that follow, each of which takes at least `least_bytes`.
    pub(crate) fn count(&mut self, least_bytes: usize) -> Option<usize> {
        let count = usize::try_from(self.varint()?).ok()?;
        (count <= self.0.len() / least_bytes.max(1)).then_some(count)
    }

    #[inline]
    pub(crate) fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(|bytes| Uuid::from_bytes(*bytes))
    }

    #[inline]
    pub(crate) fn money(&mut self) -> Option<MoneyE9> {
        self.array().map(|bytes| MoneyE9(i64::from_le_bytes(*bytes)))
    }

    /// How often something happened. Bounded, so that counting on can't overflow.
    pub(crate) fn tally(&mut self) -> Option<u64> {
        self.varint().filter(|value| *value <= 1 << 62)
    }

    /// A sum of amounts. Bounded, so that adding to it can't overflow.
    pub(crate) fn sum(&mut self) -> Option<i128> {
        self.array().map(|bytes| i128::from_le_bytes(*bytes)).filter(|value| value.unsigned_abs() <= 1 << 126)
    }

    /// States hold finite numbers only: no event with another one is ever fresh.
    #[inline]
    pub(crate) fn float(&mut self) -> Option<f64> {
        self.array().map(|bytes| f64::from_le_bytes(*bytes)).filter(|value| value.is_finite())
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.count(1)?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        str::from_utf8(text).ok()
    }

    #[inline]
    pub(crate) fn position(&mut self, previous: &mut Position) -> Option<Position> {
        let tag = self.byte()?;
        self.tagged_position(tag, previous)
    }

    pub(crate) fn applied(&mut self, previous: &mut Position) -> Option<Option<Position>> {
        match self.byte()? {
            2 => Some(None),
            tag => self.tagged_position(tag, previous).map(Some),
        }
    }

    #[inline]
    fn tagged_position(&mut self, tag: u8, previous: &mut Position) -> Option<Position> {
        *previous = match tag {
            0 => Position { offset: previous.offset.wrapping_add(unzigzag(self.varint()?)), ..*previous },
            1 => {
                let epoch = self.byte()?;
                let partition = u16::from_le_bytes(*self.array()?);
                Position { epoch, partition, offset: self.varint()? }
            }
            _ => return None,
        };
        Some(*previous)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn positions() -> impl Strategy<Value = Position> {
        (0..3_u8, 0..3_u16, prop_oneof![0..1_000_u64, any::<u64>()]).prop_map(|(epoch, partition, offset)| Position {
            epoch,
            partition,
            offset,
        })
    }

    proptest! {
        #[test]
        fn numbers_and_positions_come_back(numbers: Vec<u64>, places in prop::collection::vec(positions(), 0..20)) {
            let mut row = vec![1];
            numbers.iter().for_each(|number| row.varint(*number));
            let mut previous = NO_POSITION;
            places.iter().for_each(|place| row.position(&mut previous, *place));
            let mut rest = Rest::of_row(&row, 1).unwrap();
            for number in numbers {
                prop_assert_eq!(rest.varint(), Some(number));
            }
            let mut previous = NO_POSITION;
            for place in places {
                prop_assert_eq!(rest.position(&mut previous), Some(place));
            }
            prop_assert_eq!(rest.end(), Ok(()));
        }
    }

    #[test]
    fn near_positions_take_two_bytes() {
        let mut row = Vec::new();
        let mut previous = Position { epoch: 3, partition: 7, offset: 1_000_000 };
        row.position(&mut previous, Position { epoch: 3, partition: 7, offset: 1_000_063 });
        row.position(&mut previous, Position { epoch: 3, partition: 7, offset: 1_000_000 });
        assert_eq!(row.len(), 4);
    }

    #[test]
    fn counts_beyond_the_bytes_allocate_nothing() {
        let mut row = vec![1];
        row.varint(u64::MAX);
        let mut rest = Rest::of_row(&row, 1).unwrap();
        assert_eq!(rest.count(1), None);
        assert_eq!(Rest::of_row(&[], 1).unwrap_err(), RowError::Damaged("version"));
        assert_eq!(Rest::of_row(&[2], 1).unwrap_err(), RowError::UnknownVersion { found: 2, newest: 1 });
        assert_eq!(Rest::of_row(&[1, 0], 1).unwrap().end(), Err(RowError::TooLong(1)));
    }
}
