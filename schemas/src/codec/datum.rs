//! Avro's binary form of single values, written.

use crate::EncodeError;

/// Bytes that values are appended to, one after the other.
pub(super) struct Datum<'v>(pub(super) &'v mut Vec<u8>);

impl Datum<'_> {
    /// A `long` (or an `int`, a length, the index of a union's branch or of a symbol): zigzag, then seven bits a byte,
    /// the lowest first.
    #[inline]
    pub(super) fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while let Some(low) = low_bits(rest) {
            self.0.push(low);
            rest >>= 7;
        }
        self.0.push(rest.to_le_bytes()[0]);
    }

    /// A count that Avro keeps in a signed `long`.
    pub(super) fn count(&mut self, field: &'static str, value: u64) -> Result<(), EncodeError> {
        let value = i64::try_from(value).map_err(|_| EncodeError::Schema {
            detail: format!("{field} is {value}, and a long has 63 bits for it"),
        })?;
        self.long(value);
        Ok(())
    }

    /// A `string`.
    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        // No text in memory is longer than isize::MAX bytes.
        self.long(text.len().cast_signed() as i64);
        self.fixed(text.as_bytes());
    }

    /// A `double`.
    #[inline]
    pub(super) fn double(&mut self, value: f64) {
        self.fixed(&value.to_le_bytes());
    }

    /// A `boolean`.
    #[inline]
    pub(super) fn boolean(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    /// A `fixed` of as many bytes.
    #[inline]
    pub(super) fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A union of null, which comes first in all our schemas, and something else.
    #[inline]
    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.long(0),
            Some(value) => {
                self.long(1);
                write(self, value);
            }
        }
    }
}

/// The lowest seven bits with the mark that more follow; `None` if none do.
#[inline]
fn low_bits(value: u64) -> Option<u8> {
    (value >= 0x80).then(|| value.to_le_bytes()[0] | 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Datum<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut Datum(&mut bytes));
        bytes
    }

    #[test]
    fn longs_as_the_specification_shows_them() {
        // The table of "Binary encoding, primitive types" in Avro's specification, and the ends.
        for (value, bytes) in [(0, &[0x00][..]), (-1, &[0x01]), (1, &[0x02]), (-64, &[0x7f]), (64, &[0x80, 0x01])] {
            assert_eq!(written(|datum| datum.long(value)), bytes, "{value}");
        }
        let mut longest = [0xff; 10];
        longest[9] = 0x01;
        assert_eq!(written(|datum| datum.long(i64::MIN)), longest);
        longest[0] = 0xfe;
        assert_eq!(written(|datum| datum.long(i64::MAX)), longest);
    }

    #[test]
    fn texts_and_unions() {
        assert_eq!(written(|datum| datum.text("foo")), [0x06, 0x66, 0x6f, 0x6f]);
        assert_eq!(written(|datum| datum.optional(None, Datum::boolean)), [0x00]);
        assert_eq!(written(|datum| datum.optional(Some(true), Datum::boolean)), [0x02, 0x01]);
    }

    #[test]
    fn a_count_has_63_bits() {
        let mut bytes = Vec::new();
        assert_eq!(Datum(&mut bytes).count("sequence", i64::MAX.unsigned_abs()), Ok(()));
        let refused = Datum(&mut bytes).count("sequence", 1 << 63).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "does not fit its schema: sequence is 9223372036854775808, and a long has 63 bits for it"
        );
    }
}
