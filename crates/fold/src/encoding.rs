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
    /// The bytes end within a value.
    #[error("the row ends within {0}")]
    Truncated(&'static str),
    /// A value can't be what it should be.
    #[error("the row has an impossible {0}")]
    Impossible(&'static str),
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

    fn time(&mut self, value: TimestampUs) {
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

/// Reads values of a row.
#[derive(Debug)]
pub(crate) struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Begins a row of a version up to `newest`; there is no version 0.
    pub(crate) fn of_row(row: &'a [u8], newest: u8) -> Result<Self, RowError> {
        match row.split_first() {
            None => Err(RowError::Truncated("version")),
            Some((&found, rest)) if found != 0 && found <= newest => Ok(Self(rest)),
            Some((&found, _)) => Err(RowError::UnknownVersion { found, newest }),
        }
    }

    /// Ends a row.
    pub(crate) fn end(self) -> Result<(), RowError> {
        if self.0.is_empty() { Ok(()) } else { Err(RowError::TooLong(self.0.len())) }
    }

    #[inline]
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], RowError> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(RowError::Truncated(what))?;
        self.0 = rest;
        Ok(*array)
    }

    #[inline]
    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, RowError> {
        Ok(self.array::<1>(what)?[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, RowError> {
        self.array(what).map(u16::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, RowError> {
        self.array(what).map(u64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self, what: &'static str) -> Result<u128, RowError> {
        self.array(what).map(u128::from_le_bytes)
    }

    #[inline]
    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, RowError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RowError::Impossible(what))
    }

    /// A number of values that follow, each of which takes at least `least_bytes`.
    pub(crate) fn count(&mut self, least_bytes: usize, what: &'static str) -> Result<usize, RowError> {
        let count = usize::try_from(self.varint(what)?).map_err(|_| RowError::Impossible(what))?;
        if count > self.0.len() / least_bytes.max(1) {
            return Err(RowError::Truncated(what));
        }
        Ok(count)
    }

    #[inline]
    pub(crate) fn uuid(&mut self, what: &'static str) -> Result<Uuid, RowError> {
        self.array(what).map(Uuid::from_bytes)
    }

    #[inline]
    pub(crate) fn money(&mut self, what: &'static str) -> Result<MoneyE9, RowError> {
        self.array(what).map(i64::from_le_bytes).map(MoneyE9)
    }

    #[inline]
    pub(crate) fn time(&mut self, what: &'static str) -> Result<TimestampUs, RowError> {
        self.array(what).map(i64::from_le_bytes).map(TimestampUs)
    }

    /// How often something happened. Bounded, so that counting on can't overflow.
    pub(crate) fn tally(&mut self, what: &'static str) -> Result<u64, RowError> {
        let value = self.varint(what)?;
        if value <= 1 << 62 { Ok(value) } else { Err(RowError::Impossible(what)) }
    }

    /// A sum of amounts. Bounded, so that adding to it can't overflow.
    pub(crate) fn sum(&mut self, what: &'static str) -> Result<i128, RowError> {
        let value = self.array(what).map(i128::from_le_bytes)?;
        if value.unsigned_abs() <= 1 << 126 { Ok(value) } else { Err(RowError::Impossible(what)) }
    }

    /// States hold finite numbers only: no event with another one is ever fresh.
    #[inline]
    pub(crate) fn float(&mut self, what: &'static str) -> Result<f64, RowError> {
        let value = f64::from_bits(self.u64(what)?);
        if value.is_finite() { Ok(value) } else { Err(RowError::Impossible(what)) }
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<&'a str, RowError> {
        let length = self.count(1, what)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(RowError::Truncated(what))?;
        self.0 = rest;
        str::from_utf8(text).map_err(|_| RowError::Impossible(what))
    }

    #[inline]
    pub(crate) fn position(&mut self, previous: &mut Position, what: &'static str) -> Result<Position, RowError> {
        let tag = self.byte(what)?;
        self.tagged_position(tag, previous, what)
    }

    pub(crate) fn applied(&mut self, previous: &mut Position) -> Result<Option<Position>, RowError> {
        match self.byte("applied")? {
            2 => Ok(None),
            tag => self.tagged_position(tag, previous, "applied").map(Some),
        }
    }

    #[inline]
    fn tagged_position(&mut self, tag: u8, previous: &mut Position, what: &'static str) -> Result<Position, RowError> {
        *previous = match tag {
            0 => {
                let offset = previous.offset.wrapping_add(unzigzag(self.varint(what)?));
                Position { offset, ..*previous }
            }
            1 => Position { epoch: self.byte(what)?, partition: self.u16(what)?, offset: self.varint(what)? },
            _ => return Err(RowError::Impossible(what)),
        };
        Ok(*previous)
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
                prop_assert_eq!(rest.varint("number"), Ok(number));
            }
            let mut previous = NO_POSITION;
            for place in places {
                prop_assert_eq!(rest.position(&mut previous, "place"), Ok(place));
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
        assert_eq!(rest.count(1, "things"), Err(RowError::Truncated("things")));
        assert_eq!(Rest::of_row(&[], 1).unwrap_err(), RowError::Truncated("version"));
        assert_eq!(Rest::of_row(&[2], 1).unwrap_err(), RowError::UnknownVersion { found: 2, newest: 1 });
        assert_eq!(Rest::of_row(&[1, 0], 1).unwrap().end(), Err(RowError::TooLong(1)));
    }
}
