//! Holds JSON to a schema: the part of JSON Schema that the document uses for answers.

use serde_json::{Map, Value};

/// Keywords that say nothing about what is valid.
const REMARKS: [&str; 6] = ["description", "title", "example", "examples", "default", "$schema"];

/// The schema itself, or what it refers to.
pub(crate) fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is of another document"));
            let target = document.pointer(pointer).unwrap_or_else(|| panic!("{reference} refers to nothing"));
            resolve(document, target)
        }
        None => schema,
    }
}

/// Checks a value.
///
/// # Panics
/// On a keyword that is not known: a check that looks away would be none.
pub(crate) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if schema == &Value::Bool(true) {
        return Ok(());
    }
    let schema = resolve(document, schema);
    let keywords = schema.as_object().unwrap_or_else(|| panic!("no schema: {schema}"));
    for (keyword, rule) in keywords {
        let holds = match keyword.as_str() {
            "type" => is_of_type(rule, value),
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "format" => has_format(rule.as_str().unwrap(), value),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "exclusiveMinimum" => value.as_f64().is_none_or(|number| number > rule.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= count(rule)),
            "maxItems" => value.as_array().is_none_or(|items| items.len() <= count(rule)),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() >= count(rule)),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() <= count(rule)),
            "required" => {
                let names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                value.as_object().is_none_or(|fields| names.clone().all(|name| fields.contains_key(name)))
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, rule, item).map_err(|fault| format!("/{index}{fault}"))?;
                }
                true
            }
            "properties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(name) {
                        check(document, rule, field).map_err(|fault| format!("/{name}{fault}"))?;
                    }
                }
                true
            }
            "additionalProperties" => additional(document, keywords, rule, value)?,
            "oneOf" => rule.as_array().unwrap().iter().filter(|one| check(document, one, value).is_ok()).count() == 1,
            "anyOf" => rule.as_array().unwrap().iter().any(|one| check(document, one, value).is_ok()),
            "allOf" => {
                rule.as_array().unwrap().iter().try_for_each(|all| check(document, all, value))?;
                true
            }
            // Nothing to hold a value to: any name is good.
            "propertyNames" if rule == &serde_json::json!({"type": "string"}) => true,
            remark if REMARKS.contains(&remark) => true,
            unknown => panic!("the keyword {unknown} is not known here: {schema}"),
        };
        if !holds {
            return Err(format!(": {value} is not {keyword} {rule}"));
        }
    }
    Ok(())
}

fn additional(document: &Value, keywords: &Map<String, Value>, rule: &Value, value: &Value) -> Result<bool, String> {
    let listed = keywords.get("properties").and_then(Value::as_object);
    for (name, field) in value.as_object().into_iter().flatten() {
        if listed.is_some_and(|listed| listed.contains_key(name)) {
            continue;
        }
        if rule == &Value::Bool(false) {
            return Err(format!("/{name} is not listed"));
        }
        check(document, rule, field).map_err(|fault| format!("/{name}{fault}"))?;
    }
    Ok(true)
}

fn count(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("there is no type {unknown}"),
    };
    match rule {
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        name => is(name.as_str().unwrap()),
    }
}

fn has_format(format: &str, value: &Value) -> bool {
    let text = |holds: fn(&str) -> bool| value.as_str().is_none_or(holds);
    match format {
        "uuid" => text(|text| uuid::Uuid::parse_str(text).is_ok()),
        "date-time" => text(|text| text.parse::<jiff::Timestamp>().is_ok()),
        "date" => text(|text| text.parse::<jiff::civil::Date>().is_ok()),
        "int32" => value.as_f64().is_none_or(|number| number.abs() <= f64::from(u32::MAX)),
        "int64" | "double" | "float" => true,
        unknown => panic!("the format {unknown} is not known here"),
    }
}

#[test]
fn schemas_are_held_to() {
    use serde_json::json;
    let document = json!({"components": {"schemas": {"Id": {"type": "string", "format": "uuid"}}}});
    let schema = json!({
        "type": "object", "required": ["id"], "additionalProperties": false, "description": "x",
        "properties": {
            "id": {"$ref": "#/components/schemas/Id"}, "n": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "list": {"type": "array", "items": {"oneOf": [{"type": "integer"}, {"enum": ["a"]}]}, "maxItems": 2}
        }
    });
    let id = "0192f8a0-0000-7000-8000-000000000001";
    for good in [json!({"id": id}), json!({"id": id, "n": null}), json!({"id": id, "n": 0.5, "list": [1, "a"]})] {
        check(&document, &schema, &good).unwrap();
    }
    for bad in [
        json!([]),
        json!({}),
        json!({"id": "1"}),
        json!({"id": id, "n": 2}),
        json!({"id": id, "more": 1}),
        json!({"id": id, "list": ["b"]}),
        json!({"id": id, "list": [1, 1, 1]}),
    ] {
        check(&document, &schema, &bad).unwrap_err();
    }
    std::panic::catch_unwind(|| check(&json!({}), &json!({"contains": 1}), &json!(1))).unwrap_err();
}
