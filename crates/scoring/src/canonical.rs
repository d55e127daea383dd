//! JSON of which there is only one: sorted keys, no white space.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of the canonical JSON, in hex.
pub(crate) fn digest_of(value: &impl Serialize) -> String {
    let mut text = String::new();
    write(&serde_json::json!(value), &mut text);
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sorts keys itself: whether a map of `serde_json` is sorted depends on the features that some dependency asks for.
fn write(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            into.push('{');
            for (index, (name, value)) in fields.into_iter().enumerate() {
                separate(index, into);
                into.push_str(&Value::from(name.as_str()).to_string());
                into.push(':');
                write(value, into);
            }
            into.push('}');
        }
        Value::Array(values) => {
            into.push('[');
            for (index, value) in values.iter().enumerate() {
                separate(index, into);
                write(value, into);
            }
            into.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => into.push_str(&value.to_string()),
    }
}

fn separate(index: usize, into: &mut String) {
    if index > 0 {
        into.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value: Value = serde_json::from_str(r#"{"b": [1, {"z": null, "a": 0.5}], "a": "\""}"#).unwrap();
        let mut text = String::new();
        write(&value, &mut text);
        assert_eq!(text, r#"{"a":"\"","b":[1,{"a":0.5,"z":null}]}"#);
    }
}
