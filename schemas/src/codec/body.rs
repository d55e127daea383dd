//! The Avro body of a record.

use std::io::BufRead as _;

use serde::Serialize;
use serde_avro_fast::{
    Schema,
    de::{DatumDeserializer, DeError, DeserializerConfig, DeserializerState, read::SliceRead},
    ser::SerializerConfig,
    to_datum,
};

use super::WrittenSchema;
use crate::{DecodeError, EncodeError, frame};

/// Appends a whole record.
pub(super) fn write(written: &WrittenSchema, body: &impl Serialize, into: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = into.len();
    frame::begin(written.id(), into);
    // Holds buffers for fields that come in another order than the schema's. Ours never do, so that a new one costs
    // nothing and there is nothing to share between threads.
    let mut config = SerializerConfig::new(written.schema());
    match to_datum(body, &mut *into, &mut config) {
        Ok(_) => Ok(()),
        Err(error) => {
            into.truncate(start);
            Err(EncodeError::Schema { detail: error.to_string() })
        }
    }
}

/// Reads a body to its end.
pub(super) fn read<'a, T>(
    schema: &Schema,
    body: &'a [u8],
    deserialize: impl FnOnce(DatumDeserializer<'_, '_, SliceRead<'a>>) -> Result<T, DeError>,
) -> Result<T, DecodeError> {
    let mut config = DeserializerConfig::new(schema);
    // A block that claims more items than the body has bytes is not worth starting on.
    config.max_seq_size = body.len();
    let mut state = DeserializerState::with_config(SliceRead::new(body), config);
    let value = deserialize(state.deserializer()).map_err(|error| DecodeError::malformed(error.to_string()))?;
    if state.into_reader().fill_buf().is_ok_and(<[u8]>::is_empty) {
        Ok(value)
    } else {
        Err(DecodeError::malformed("goes on after the end of its body"))
    }
}
