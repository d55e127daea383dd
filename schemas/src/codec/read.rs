//! The body of a record, read by the schema it was written with.

use std::io::BufRead as _;

use serde_avro_fast::{
    Schema,
    de::{DatumDeserializer, DeError, DeserializerConfig, DeserializerState, read::SliceRead},
};

use crate::DecodeError;

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
