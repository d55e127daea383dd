//! Schemas of single fields.

use hindcast_schemas::MAX_EXTRA_FEATURES;
use utoipa::openapi::{
    RefOr, Schema,
    schema::{AdditionalProperties, KnownFormat, Object, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type},
};

use super::{Others, object};
use crate::rules::{
    MAX_FEATURE_NAME_CHARS, MAX_MEASURE, MAX_REASON_CHARS, MAX_SESSION_CHARS, MAX_SOURCE_CHARS, MAX_STRATEGY_CHARS,
};

/// A field of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) schema: RefOr<Schema>,
    pub(super) required: bool,
}

/// Whether a field may be left out, or null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

pub(super) use Need::{Optional, Required};

/// What is common to the schemas of plain values.
fn value(kind: Type, need: Need, about: &str) -> ObjectBuilder {
    let kinds = match need {
        Required => SchemaType::new(kind),
        Optional => SchemaType::from_iter([kind, Type::Null]),
    };
    ObjectBuilder::new().schema_type(kinds).description(Some(about))
}

fn field(name: &'static str, need: Need, schema: impl Into<Schema>) -> Field {
    Field { name, schema: RefOr::T(schema.into()), required: need == Required }
}

pub(super) fn uuid(name: &'static str, need: Need, about: &str) -> Field {
    field(name, need, value(Type::String, need, about).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))))
}

pub(super) fn time(name: &'static str, need: Need, about: &str) -> Field {
    let about = format!("{about} RFC 3339, not before 1970; kept to the microsecond.");
    field(name, need, value(Type::String, need, &about).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
}

pub(super) fn boolean(name: &'static str, need: Need, about: &str) -> Field {
    field(name, need, value(Type::Boolean, need, about))
}

pub(super) fn user_id(need: Need) -> Field {
    let about = "The credential's user. Any other is refused with 403.";
    field("user_id", need, value(Type::String, need, about).pattern(Some("^[A-Za-z0-9_.-]{5,100}$")))
}

pub(super) fn symbol() -> Field {
    let about = "One of the configured instruments: ES, NQ, CL, YM, RTY if nothing else is.";
    let schema = value(Type::String, Required, about).pattern(Some("^[A-Z0-9./-]{1,16}$")).examples(["ES"]);
    field("symbol", Required, schema)
}

pub(super) fn choice(name: &'static str, need: Need, choices: &[&str], about: &str) -> Field {
    let nothing = (need == Optional).then_some(serde_json::Value::Null);
    let all = choices.iter().map(|&choice| choice.into()).chain(nothing).collect::<Vec<serde_json::Value>>();
    field(name, need, value(Type::String, need, about).enum_values(Some(all)))
}

pub(super) fn text(name: &'static str, need: Need, max_chars: usize, about: &str) -> Field {
    let about = format!("{about} Without control characters.");
    field(name, need, value(Type::String, need, &about).min_length(Some(1)).max_length(Some(max_chars)))
}

pub(super) fn strategy() -> Field {
    text("strategy", Optional, MAX_STRATEGY_CHARS, "Which of the owner's bots.")
}

pub(super) fn session() -> Field {
    text("session", Optional, MAX_SESSION_CHARS, "Trading session as you name it, for example `RTH`.")
}

pub(super) fn source() -> Field {
    text("source", Required, MAX_SOURCE_CHARS, "Names what is imported, for example a file by its digest.")
}

pub(super) fn reason() -> Field {
    text("reason", Optional, MAX_REASON_CHARS, "Why, in your own words.")
}

pub(super) fn number(name: &'static str, need: Need, low: f64, high: f64, about: &str) -> Field {
    field(name, need, value(Type::Number, need, about).minimum(Some(low)).maximum(Some(high)))
}

pub(super) fn rsi(name: &'static str, need: Need) -> Field {
    number(name, need, 0.0, 100.0, "Relative strength index.")
}

pub(super) fn measure(name: &'static str, about: &str) -> Field {
    number(name, Optional, 0.0, MAX_MEASURE, about)
}

pub(super) fn quantity() -> Field {
    let schema = value(Type::Number, Optional, "Contracts.").exclusive_minimum(Some(0.0)).maximum(Some(MAX_MEASURE));
    field("quantity", Optional, schema)
}

pub(super) fn integer(name: &'static str, low: i64, high: i64, about: &str) -> Field {
    field(name, Required, value(Type::Integer, Required, about).minimum(Some(low)).maximum(Some(high)))
}

/// Any value: what the old routes take and don't keep.
pub(super) fn not_kept(name: &'static str, about: &str) -> Field {
    let schema = ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(about));
    field(name, Optional, schema)
}

/// The bounds of a number of money.
pub(super) enum Amount {
    Any,
    AboveZero,
    NotBelowZero,
}

/// Whole dollars that every amount can have; the exact bounds are no decimal numbers of JSON.
const MOST_USD: f64 = 9_223_372_036.0;

pub(super) fn money(name: &'static str, need: Need, amount: &Amount, about: &str) -> Field {
    let number = ObjectBuilder::new().schema_type(Type::Number).maximum(Some(MOST_USD));
    let (number, pattern) = match amount {
        Amount::Any => (number.minimum(Some(-MOST_USD)), r"^-?[0-9]{1,9}(\.[0-9]{1,9})?$"),
        Amount::AboveZero => (number.exclusive_minimum(Some(0.0)), r"^[0-9]{1,9}(\.[0-9]{1,9})?$"),
        Amount::NotBelowZero => (number.minimum(Some(0.0)), r"^[0-9]{1,9}(\.[0-9]{1,9})?$"),
    };
    let number = number.description(Some("Rounded half-even to 1e-9."));
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .description(Some("Exact, at most 9 decimals."));
    let either = OneOfBuilder::new().item(number).item(text).description(Some(about));
    let either = if need == Optional { either.item(ObjectBuilder::new().schema_type(Type::Null)) } else { either };
    field(name, need, either.build())
}

pub(super) fn price(name: &'static str, need: Need, about: &str) -> Field {
    money(name, need, &Amount::AboveZero, about)
}

pub(super) fn features() -> Field {
    let feature = ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(-MAX_MEASURE))
        .maximum(Some(MAX_MEASURE))
        .description(Some("`hour`, if given, is 0 to below 24."));
    let names = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^[A-Za-z0-9_.-]{{1,{MAX_FEATURE_NAME_CHARS}}}$")));
    let schema = value(Type::Object, Optional, "Further features by name. Models know `hour`, the hour of the day.")
        .additional_properties(Some(AdditionalProperties::from(feature)))
        .property_names(Some(Schema::from(names)))
        .max_properties(Some(MAX_EXTRA_FEATURES));
    field("features", Optional, schema)
}

/// A field that is an object itself.
pub(super) fn nested(name: &'static str, about: &str, fields: impl IntoIterator<Item = Field>) -> Field {
    let absent = Object::with_type(Type::Null);
    let schema = OneOfBuilder::new().item(object(about, Others::Refused, fields)).item(absent).description(Some(about));
    field(name, Optional, schema.build())
}
