//! The bodies as OpenAPI describes them.
//!
//! A schema tells what the parsers check; tests hold the two together.

mod batch;
mod fields;
mod legacy;
mod signal;
mod trade;
mod void;

pub use batch::{BatchArray, BatchLines};
pub use legacy::{GetConfidenceRequest, SaveTradeRequest};

use utoipa::openapi::{
    RefOr, Schema,
    schema::{AdditionalProperties, ObjectBuilder},
};

use fields::Field;

/// The body of a signal, for descriptions of routes.
pub type SignalRequest = crate::SignalBody<'static>;
/// The body of a trade, for descriptions of routes.
pub type TradeRequest = crate::TradeBody<'static>;
/// The body of a void, for descriptions of routes.
pub type VoidRequest = crate::VoidBody<'static>;

/// What to say of names that are not listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Refused,
    Ignored,
}

/// The schema of an object.
fn object(description: &str, others: Others, fields: impl IntoIterator<Item = Field>) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().description(Some(description));
    if others == Others::Refused {
        object = object.additional_properties(Some(AdditionalProperties::FreeForm(false)));
    }
    for field in fields {
        object = object.property(field.name, field.schema);
        if field.required {
            object = object.required(field.name);
        }
    }
    Schema::from(object).into()
}
