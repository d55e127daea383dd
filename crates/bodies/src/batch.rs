//! Splits a batch into its items.

use std::fmt;

use serde::de::{Deserializer as _, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::Invalid;

/// Most items of a batch.
pub const MAX_ITEMS: usize = 1_000;

/// The items of a JSON array, unparsed.
///
/// # Errors
/// When it is no JSON, no array, or has more than [`MAX_ITEMS`] items. An item that is JSON but no event is no fault
/// of the array.
pub fn split_array(body: &[u8]) -> Result<Vec<&[u8]>, Invalid> {
    let malformed = |error: serde_json::Error| Invalid::Malformed { detail: error.to_string() };
    if body.trim_ascii_start().first() != Some(&b'[') {
        let _: &RawValue = serde_json::from_slice(body).map_err(malformed)?;
        return Err(Invalid::field("", "must be a JSON array of events"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let items = deserializer.deserialize_seq(ArrayVisitor).and_then(|items| deserializer.end().map(|()| items));
    items.map_err(|error| {
        // The only fault of data in an array of anything is its length; the others are faults of syntax.
        if error.is_data() { Invalid::field("", TOO_MANY) } else { malformed(error) }
    })
}

/// The items of newline-delimited JSON, unparsed. Blank lines are no items.
///
/// # Errors
/// When there are more than [`MAX_ITEMS`].
pub fn split_ndjson(body: &[u8]) -> Result<Vec<&[u8]>, Invalid> {
    let mut items = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, further) = rest.split_at(end);
        rest = further.get(1..).unwrap_or_default();
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if items.len() == MAX_ITEMS {
            return Err(Invalid::field("", TOO_MANY));
        }
        items.push(line);
    }
    Ok(items)
}

const TOO_MANY: &str = "must have at most 1000 events";

struct ArrayVisitor;

impl<'de> Visitor<'de> for ArrayVisitor {
    type Value = Vec<&'de [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = array.next_element::<&RawValue>()? {
            if items.len() == MAX_ITEMS {
                return Err(A::Error::custom(TOO_MANY));
            }
            items.push(item.get().as_bytes());
        }
        Ok(items)
    }
}
