//! Between events and records.

mod body;
mod fetched;
mod written;

use std::fmt;

use fetched::Fetched;
use serde_avro_fast::Schema;
use written::WrittenSchemas;

use crate::{
    CodecError, DecisionMade, DecodeError, EncodeError, Event, Registry, Subject, frame, soundness,
    wire::{DecisionBody, DecisionWire, SignalBody, SignalWire, TradeBody, TradeWire, VoidBody, VoidWire},
};

pub use written::WrittenSchema;

/// Id of a schema in the wire format.
pub type SchemaId = u32;

/// Encodes and decodes records; one per process, shared by all its threads.
///
/// Neither direction takes a lock: what is written is settled when the codec is made, and schemas that records bring
/// along are kept once they were fetched.
pub struct Codec {
    written: WrittenSchemas,
    fetched: Fetched,
}

impl Codec {
    /// A codec that writes the current version of every schema, under the ids that the registry gives them.
    ///
    /// Other ids are looked up when a record first carries one.
    ///
    /// # Errors
    /// When the registry gives no id; [`crate::RegistryError::retryable`] tells whether trying again can help.
    pub fn new(registry: impl Registry + 'static) -> Result<Self, CodecError> {
        let written = WrittenSchemas::register(&registry)?;
        Ok(Self { written, fetched: Fetched::new(registry) })
    }

    /// The schemas that records are written with.
    pub fn written(&self) -> impl Iterator<Item = &WrittenSchema> {
        self.written.iter()
    }

    /// Appends the record of an event. If it can't be written, `into` is as before.
    ///
    /// # Errors
    /// When the event breaks a rule of [`soundness`] or doesn't fit its schema.
    pub fn encode_event(&self, event: &Event<'_>, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        soundness::check_event(event)?;
        match event {
            Event::Signal(signal) => body::write(&self.written.signal, &SignalBody(signal), into),
            Event::Trade(trade) => body::write(&self.written.trade, &TradeBody(trade), into),
            Event::Void(void) => body::write(&self.written.void, &VoidBody(void), into),
        }
    }

    /// Appends the record of a decision. If it can't be written, `into` is as before.
    ///
    /// # Errors
    /// When the decision breaks a rule of [`soundness`] or doesn't fit its schema.
    pub fn encode_decision(&self, decision: &DecisionMade<'_>, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        soundness::check_decision(decision)?;
        body::write(&self.written.decision, &DecisionBody(decision), into)
    }

    /// Reads an event, written with whatever version; its text is borrowed from the record.
    ///
    /// # Errors
    /// When the record is no event, or its schema can't be fetched now: see [`DecodeError::is_retryable`].
    pub fn decode_event<'a>(&self, record: &'a [u8]) -> Result<Event<'a>, DecodeError> {
        let (id, datum) = frame::split(record)?;
        let event = self.with_schema(id, |subject, schema| match subject {
            Subject::SignalReceived => body::read(schema, datum, |d| SignalWire::deserialize(d)).map(Event::Signal),
            Subject::TradeClosed => body::read(schema, datum, |d| TradeWire::deserialize(d)).map(Event::Trade),
            Subject::TradeVoided => body::read(schema, datum, |d| VoidWire::deserialize(d)).map(Event::Void),
            Subject::DecisionMade => Err(DecodeError::malformed("is a decision, not an event of the journal")),
        })?;
        soundness::check_event(&event)?;
        Ok(event)
    }

    /// Reads a decision, written with whatever version; its text is borrowed from the record.
    ///
    /// # Errors
    /// When the record is no decision, or its schema can't be fetched now: see [`DecodeError::is_retryable`].
    pub fn decode_decision<'a>(&self, record: &'a [u8]) -> Result<DecisionMade<'a>, DecodeError> {
        let (id, datum) = frame::split(record)?;
        let decision = self.with_schema(id, |subject, schema| match subject {
            Subject::DecisionMade => body::read(schema, datum, |d| DecisionWire::deserialize(d)),
            other => Err(DecodeError::malformed(format!("is a {}, not a decision", other.name()))),
        })?;
        soundness::check_decision(&decision)?;
        Ok(decision)
    }

    fn with_schema<T>(
        &self,
        id: SchemaId,
        read: impl FnOnce(Subject, &Schema) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        match self.written.with_id(id) {
            Some(written) => read(written.subject(), written.schema()),
            None => self.fetched.with_schema(id, read),
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").field("written", &self.written).field("fetched", &self.fetched).finish()
    }
}
