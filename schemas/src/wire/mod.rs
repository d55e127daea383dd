//! How the typed events stand in Avro: serde's view of them, kept apart from the types so that nobody writes this form
//! into JSON by accident.
//!
//! For reading only; what writes is `codec::write`. A field that has a default in the schema has `#[serde(default)]`
//! here, which is how a record of a version without it is read.

mod decision;
mod journal;
mod values;

pub(crate) use decision::DecisionWire;
pub(crate) use journal::{SignalWire, TradeWire, VoidWire};
