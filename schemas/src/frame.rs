//! Confluent's wire format: a zero byte, the schema's id as four big-endian bytes, the body.

use crate::DecodeError;

const MAGIC: u8 = 0;

/// Appends what stands before the body.
pub(crate) fn begin(schema_id: u32, into: &mut Vec<u8>) {
    into.push(MAGIC);
    into.extend_from_slice(&schema_id.to_be_bytes());
}

/// The schema's id and the body.
pub(crate) fn split(record: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    match record.split_first_chunk::<5>() {
        Some((&[MAGIC, a, b, c, d], body)) => Ok((u32::from_be_bytes([a, b, c, d]), body)),
        Some((head, _)) => Err(DecodeError::malformed(format!("begins with byte {}, not 0", head[0]))),
        None => Err(DecodeError::malformed("shorter than the 5 bytes before a body")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let mut record = Vec::new();
        begin(0x0102_0304, &mut record);
        record.push(9);
        assert_eq!(record, [0, 1, 2, 3, 4, 9]);
        assert_eq!(split(&record), Ok((0x0102_0304, &[9_u8][..])));
        for bad in [&[][..], &[0, 0, 0, 1], &[1, 0, 0, 0, 1, 9]] {
            assert!(matches!(split(bad), Err(DecodeError::Malformed { .. })), "{bad:?}");
        }
    }
}
