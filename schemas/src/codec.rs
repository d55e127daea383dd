//! Between events and records.

use crate::{CodecError, DecisionMade, DecodeError, EncodeError, Event, Registry};

/// Id of a schema in the wire format.
pub type SchemaId = u32;

/// Encodes and decodes records.
#[derive(Debug)]
pub struct Codec {}

impl Codec {
    /// A codec whose ids come from a registry.
    ///
    /// # Errors
    /// When the registry gives no id.
    pub fn new(_registry: impl Registry + 'static) -> Result<Self, CodecError> {
        todo!()
    }

    /// Appends the record of an event.
    ///
    /// # Errors
    /// When the event can't be written.
    pub fn encode_event(&self, _event: &Event<'_>, _into: &mut Vec<u8>) -> Result<(), EncodeError> {
        todo!()
    }

    /// Appends the record of a decision.
    ///
    /// # Errors
    /// When the decision can't be written.
    pub fn encode_decision(&self, _decision: &DecisionMade<'_>, _into: &mut Vec<u8>) -> Result<(), EncodeError> {
        todo!()
    }

    /// Reads an event; its text is borrowed from the record.
    ///
    /// # Errors
    /// When the record is no event, or its schema can't be fetched now.
    pub fn decode_event<'a>(&self, _record: &'a [u8]) -> Result<Event<'a>, DecodeError> {
        todo!()
    }

    /// Reads a decision; its text is borrowed from the record.
    ///
    /// # Errors
    /// When the record is no decision, or its schema can't be fetched now.
    pub fn decode_decision<'a>(&self, _record: &'a [u8]) -> Result<DecisionMade<'a>, DecodeError> {
        todo!()
    }
}
