//! Between events and records.

mod datum;
mod fetched;
mod read;
mod write;
mod written;

use std::fmt;

use datum::Datum;
use fetched::Fetched;
use read::read;
use serde_avro_fast::Schema;
use written::WrittenSchemas;

use crate::{
    CodecError, DecisionMade, DecodeError, EncodeError, Event, Registry, Subject, frame, soundness,
    wire::{DecisionWire, SignalWire, TradeWire, VoidWire},
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
        let written = match event {
            Event::Signal(_) => &self.written.signal,
            Event::Trade(_) => &self.written.trade,
            Event::Void(_) => &self.written.void,
        };
        append(into, written, |datum| write::event(event, datum))
    }

    /// Appends the record of a decision. If it can't be written, `into` is as before.
    ///
    /// # Errors
    /// When the decision breaks a rule of [`soundness`] or doesn't fit its schema.
    pub fn encode_decision(&self, decision: &DecisionMade<'_>, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        soundness::check_decision(decision)?;
        append(into, &self.written.decision, |datum| write::decision(decision, datum))
    }

    /// Reads an event, written with whatever version; its text is borrowed from the record.
    ///
    /// # Errors
    /// When the record is no event, or its schema can't be fetched now: see [`DecodeError::is_retryable`].
    pub fn decode_event<'a>(&self, record: &'a [u8]) -> Result<Event<'a>, DecodeError> {
        let (id, datum) = frame::split(record)?;
        let event = self.with_schema(id, |subject, schema| match subject {
            Subject::SignalReceived => read(schema, datum, |d| SignalWire::deserialize(d)).map(Event::Signal),
            Subject::TradeClosed => read(schema, datum, |d| TradeWire::deserialize(d)).map(Event::Trade),
            Subject::TradeVoided => read(schema, datum, |d| VoidWire::deserialize(d)).map(Event::Void),
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
            Subject::DecisionMade => read(schema, datum, |d| DecisionWire::deserialize(d)),
            other => Err(DecodeError::malformed(format!("is a {}, not a decision", other.name()))),
        })?;
        soundness::check_decision(&decision)?;
        Ok(decision)
    }

    fn with_schema<T>(
        &self,
        id: SchemaId,
        then: impl FnOnce(Subject, &Schema) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        match self.written.with_id(id) {
            Some(written) => then(written.subject(), written.schema()),
            None => self.fetched.with_schema(id, then),
        }
    }
}

/// Appends a whole record, or nothing.
fn append(
    into: &mut Vec<u8>,
    schema: &WrittenSchema,
    write: impl FnOnce(&mut Datum<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = into.len();
    frame::begin(schema.id(), into);
    write(&mut Datum(into)).inspect_err(|_| into.truncate(start))
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").field("written", &self.written).field("fetched", &self.fetched).finish()
    }
}
