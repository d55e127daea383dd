//! References to named types, replaced by what they name.
//!
//! In Avro a named type is spelt out where it first occurs and named from then on. Moving or adding a field can turn
//! one into the other without any change of meaning, and the comparison of schemas would take that for a difference.

use std::collections::HashMap;

use apache_avro::{
    Error, Schema,
    schema::{Name, UnionSchema},
};

/// The schema without references, but for those of a type to itself.
pub(super) fn expand(mut schema: Schema) -> Result<Schema, Error> {
    Expansion::default().expand(&mut schema)?;
    Ok(schema)
}

/// Named types that were met in full. One that contains itself is not among them while its fields are looked at, which
/// is what ends the recursion.
#[derive(Default)]
struct Expansion {
    named: HashMap<Name, Schema>,
}

impl Expansion {
    fn expand(&mut self, schema: &mut Schema) -> Result<(), Error> {
        match schema {
            Schema::Ref { name } => {
                if let Some(named) = self.named.get(name) {
                    *schema = named.clone();
                }
                return Ok(());
            }
            Schema::Array(array) => self.expand(&mut array.items)?,
            Schema::Map(map) => self.expand(&mut map.types)?,
            Schema::Record(record) => {
                for field in &mut record.fields {
                    self.expand(&mut field.schema)?;
                }
            }
            Schema::Union(union) => {
                let mut variants = union.variants().to_vec();
                for variant in &mut variants {
                    self.expand(variant)?;
                }
                *union = UnionSchema::new(variants)?;
            }
            _ => {}
        }
        if let Some(name) = schema.name().cloned() {
            self.named.insert(name, schema.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Schema {
        Schema::parse_str(json).unwrap()
    }

    #[test]
    fn references_are_spelt_out() {
        let expanded = expand(parse(
            r#"{"type": "record", "name": "R", "namespace": "n", "fields": [
                {"name": "first", "type": {"type": "fixed", "name": "Id", "size": 16}},
                {"name": "second", "type": ["null", "Id"]},
                {"name": "third", "type": {"type": "map", "values": "n.Id"}}
            ]}"#,
        ))
        .unwrap();
        let text = format!("{expanded:?}");
        assert_eq!(text.matches("FixedSchema").count(), 3, "{text}");
        assert!(!text.contains("Ref"), "{text}");
    }

    #[test]
    fn a_type_that_contains_itself_stays_finite() {
        let list = parse(
            r#"{"type": "record", "name": "List", "fields": [
                {"name": "next", "type": ["null", "List"]}
            ]}"#,
        );
        assert_eq!(expand(list.clone()).unwrap(), list);
    }
}
