//! The schemas of OpenAPI name what the parsers read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use hindcast_bodies::{
    Invalid, ItemBody, SignalBody, TradeBody, VoidBody,
    legacy::{parse_get_confidence, parse_save_trade},
    parse_item, parse_signal, parse_trade, parse_void,
    requests::{GetConfidenceRequest, SaveTradeRequest},
};
use hindcast_domain::Instruments;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

fn schema_of<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap()
}

fn properties(schema: &Value) -> &Map<String, Value> {
    schema["properties"].as_object().unwrap()
}

/// The fault that a body is refused with for one field.
fn fault_of<T>(parsed: Result<T, Invalid>, name: &str) -> Option<String> {
    match parsed {
        Err(Invalid::Fields(faults)) => {
            faults.into_iter().find(|fault| fault.pointer == format!("/{name}")).map(|fault| fault.detail)
        }
        Err(Invalid::Malformed { detail }) => panic!("{detail}"),
        Ok(_) => None,
    }
}

const NO_FIELD: &str = "is not a field of this body";

fn check(schema: &Value, parse: impl Fn(&[u8]) -> Result<(), Invalid>, fixed: &Value) {
    let with = |name: &str, value: Value| {
        let mut body = fixed.as_object().unwrap().clone();
        body.insert(name.to_owned(), value);
        serde_json::to_vec(&body).unwrap()
    };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    let empty = serde_json::to_vec(fixed).unwrap();
    for (name, property) in properties(schema) {
        if fixed.get(name).is_some() {
            continue;
        }
        let fault = fault_of(parse(&with(name, json!([[]]))), name);
        assert_ne!(fault.as_deref(), Some(NO_FIELD), "{name} is in the document only");
        let missing = fault_of(parse(&empty), name).is_some();
        assert_eq!(missing, required.contains(&name.as_str()), "whether {name} is required");
        let nullable = fault_of(parse(&with(name, Value::Null)), name).is_none();
        assert_eq!(nullable, !required.contains(&name.as_str()), "whether {name} may be null");
        let says_nullable = property.to_string().contains("\"null\"")
            || (property.get("type").is_none() && property.get("oneOf").is_none());
        assert_eq!(says_nullable, nullable, "whether the document lets {name} be null: {property}");
        for bound in ["minimum", "maximum"] {
            if let Some(bound) = property.get(bound) {
                assert_eq!(fault_of(parse(&with(name, bound.clone())), name), None, "{name} at {bound}");
            }
        }
        for outside in
            [property["minimum"].as_f64().map(|v| v.next_down()), property["maximum"].as_f64().map(|v| v.next_up())]
        {
            if let Some(outside) = outside.filter(|_| property.get("minimum").is_some()) {
                assert!(fault_of(parse(&with(name, json!(outside))), name).is_some(), "{name} at {outside}");
            }
        }
        for choice in property["enum"].as_array().into_iter().flatten() {
            assert_eq!(fault_of(parse(&with(name, choice.clone())), name), None, "{name} as {choice}");
        }
        if let Some(longest) = property.get("maxLength").and_then(Value::as_u64) {
            let text = |n: u64| json!("x".repeat(usize::try_from(n).unwrap()));
            assert_eq!(fault_of(parse(&with(name, text(longest))), name), None, "{name} of {longest}");
            assert!(fault_of(parse(&with(name, text(longest + 1))), name).is_some(), "{name} too long");
        }
    }
}

#[test]
fn signals() {
    let (instruments, schema) = (Instruments::default(), schema_of::<SignalBody>());
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(properties(&schema).len(), 16);
    check(&schema, |body| parse_signal(body, &instruments).map(drop), &json!({}));
}

#[test]
fn trades() {
    let (instruments, schema) = (Instruments::default(), schema_of::<TradeBody>());
    assert_eq!(properties(&schema).len(), 22);
    check(&schema, |body| parse_trade(body, &instruments).map(drop), &json!({}));
}

#[test]
fn items() {
    let (instruments, schema) = (Instruments::default(), schema_of::<ItemBody>());
    for (schema, kind) in schema["oneOf"].as_array().unwrap().iter().zip(["signal", "trade"]) {
        assert_eq!(schema["properties"]["type"]["enum"], json!([kind]));
        check(schema, |body| parse_item(body, &instruments).map(drop), &json!({ "type": kind }));
    }
}

#[test]
fn voids() {
    check(&schema_of::<VoidBody>(), |body| parse_void(body).map(drop), &json!({}));
}

#[test]
fn old_bodies() {
    let instruments = Instruments::default();
    let schema = schema_of::<GetConfidenceRequest>();
    for (schema, fixed) in schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .zip([json!({ "signal_type": "LONG", "vwap_distance": 1 }), json!({ "signal": "LONG", "price": 1, "vwap": 1 })])
    {
        check(schema, |body| parse_get_confidence(body, &instruments).map(drop), &fixed);
    }
    check(&schema_of::<SaveTradeRequest>(), |body| parse_save_trade(body, &instruments).map(drop), &json!({}));
}
