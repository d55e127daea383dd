//! Batches and their items.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayBuilder, Object, OneOfBuilder, Type},
    },
};

use super::{
    Others,
    fields::{Field, Required, choice, integer, nested, source},
    object,
    signal::signal_fields,
    trade::trade_fields,
};
use crate::{ItemBody, MAX_ITEMS};

/// The body of a batch as a JSON array. Only describes; [`crate::split_array`] reads.
#[derive(Debug)]
pub enum BatchArray {}

/// The body of a batch as lines of JSON. Only describes; [`crate::split_ndjson`] reads.
#[derive(Debug)]
pub enum BatchLines {}

fn item_fields(kind: &str, fields: Vec<Field>) -> Vec<Field> {
    let import = nested(
        "import",
        "The place in a bulk import that can be run again: sequences of one source rise, and one that does not is a \
         duplicate. Without `event_id` the id follows from it.",
        [source(), integer("sequence", 1, i64::MAX, "Row within the source.")],
    );
    let kind = choice("type", Required, &[kind], "What the item is.");
    [kind, import].into_iter().chain(fields).collect()
}

impl ToSchema for ItemBody<'_> {
    fn name() -> Cow<'static, str> {
        "Item".into()
    }
}

impl PartialSchema for ItemBody<'_> {
    fn schema() -> RefOr<Schema> {
        let signal = object("A signal.", Others::Refused, item_fields("signal", signal_fields()));
        let trade = object("A trade.", Others::Refused, item_fields("trade", trade_fields()));
        let either = OneOfBuilder::new().item(signal).item(trade).description(Some("An event of a batch."));
        RefOr::T(either.build().into())
    }
}

impl ToSchema for BatchArray {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ItemBody::name().into(), ItemBody::schema()));
    }
}

impl PartialSchema for BatchArray {
    fn schema() -> RefOr<Schema> {
        let item = utoipa::openapi::Ref::from_schema_name(ItemBody::name());
        // What an item must be is the item's own matter: a bad one does not spoil the others.
        let array = ArrayBuilder::new().items(item).max_items(Some(MAX_ITEMS)).description(Some("Up to 1,000 events."));
        RefOr::T(array.build().into())
    }
}

impl ToSchema for BatchLines {}

impl PartialSchema for BatchLines {
    fn schema() -> RefOr<Schema> {
        let mut lines = Object::with_type(Type::String);
        lines.description = Some("Up to 1,000 lines, each an `Item`. Blank lines are skipped.".to_owned());
        RefOr::T(lines.into())
    }
}
