//! The Avro schemas of the events, their typed form and their codec.
//!
//! A record is Confluent's wire format: a zero byte, the schema's id as four big-endian bytes, the Avro body. The
//! schemas are in `avsc/`, one file per version, beside each other for ever; a version that was released never changes.
//! `golden/` holds bytes of every version, which tests decode for ever.
//!
//! Reading follows Avro's rules of resolution for every version: fields are found by name, unknown ones are skipped,
//! missing ones take their default. So one typed form serves all versions, and a schema that this build has never seen
//! is readable too once its text is known (see [`Registry`]).
//!
//! Writing is always done with the current version.
//!
//! A new version of a schema: add `avsc/NAME.vN.avsc`, add it at the end of [`known::KNOWN_SCHEMAS`] with the next free
//! id, extend the typed event, what reads it (`wire`) and what writes it (`codec::write`), then add its golden bytes
//! (see `tests/codec/golden.rs`). A new `SignalReceived` needs a new `DecisionMade`, which holds it whole.

pub mod codec;
pub mod compatibility;
pub mod error;
pub mod events;
mod frame;
pub mod known;
pub mod registry;
pub mod soundness;
mod wire;

pub use codec::{Codec, SchemaId};
pub use error::{CodecError, DecodeError, EncodeError};
pub use events::*;
pub use known::Subject;
pub use registry::{LocalRegistry, Registry, RegistryError};
pub use soundness::Unsound;
