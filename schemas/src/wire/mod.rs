//! How the typed events stand in Avro: serde's view of them, kept apart from the types so that nobody writes this form
//! into JSON by accident.
//!
//! Fields are declared in the order of the schema, which is what makes encoding a single pass; a field that has a
//! default in the schema has `#[serde(default)]` here, which is how a record of a version without it is read.

mod decision;
mod journal;
mod values;

pub(crate) use decision::DecisionWire;
pub(crate) use journal::{SignalWire, TradeWire, VoidWire};

use serde::{Serialize, Serializer};

use crate::{DecisionMade, SignalReceived, TradeClosed, TradeVoided};

macro_rules! serialized_as {
    ($($wire:ident: $event:ident as $name:ident,)+) => {$(
        /// The event in its wire form.
        pub(crate) struct $name<'e, 'a>(pub(crate) &'e $event<'a>);

        impl Serialize for $name<'_, '_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $wire::serialize(self.0, serializer)
            }
        }
    )+};
}

serialized_as! {
    SignalWire: SignalReceived as SignalBody,
    TradeWire: TradeClosed as TradeBody,
    VoidWire: TradeVoided as VoidBody,
    DecisionWire: DecisionMade as DecisionBody,
}
