//! The schemas that records are written with.

use serde_avro_fast::{Schema, schema::SchemaError};

use super::SchemaId;
use crate::{CodecError, Registry, Subject, known};

/// The current version of a schema and its id.
#[derive(Debug)]
pub struct WrittenSchema {
    subject: Subject,
    version: u32,
    id: SchemaId,
    json: &'static str,
    schema: Schema,
}

impl WrittenSchema {
    /// What it is of.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Its version within the subject.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The id that the registry gave it.
    #[must_use]
    pub fn id(&self) -> SchemaId {
        self.id
    }

    /// Its text.
    #[must_use]
    pub fn json(&self) -> &'static str {
        self.json
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    fn register(subject: Subject, registry: &impl Registry) -> Result<Self, CodecError> {
        let unusable = |version, detail| CodecError::Schema { subject, version, detail };
        let current = known::current(subject).ok_or_else(|| unusable(0, "it has no version".to_owned()))?;
        let schema = current.json.parse().map_err(|error: SchemaError| unusable(current.version, error.to_string()))?;
        let id = registry.id_of(subject.name(), current.json).map_err(|source| CodecError::Registry {
            subject,
            version: current.version,
            source,
        })?;
        Ok(Self { subject, version: current.version, id, json: current.json, schema })
    }
}

/// One for each subject.
#[derive(Debug)]
pub(super) struct WrittenSchemas {
    pub(super) signal: WrittenSchema,
    pub(super) trade: WrittenSchema,
    pub(super) void: WrittenSchema,
    pub(super) decision: WrittenSchema,
}

impl WrittenSchemas {
    /// Asks for the ids.
    pub(super) fn register(registry: &impl Registry) -> Result<Self, CodecError> {
        let written = Self {
            signal: WrittenSchema::register(Subject::SignalReceived, registry)?,
            trade: WrittenSchema::register(Subject::TradeClosed, registry)?,
            void: WrittenSchema::register(Subject::TradeVoided, registry)?,
            decision: WrittenSchema::register(Subject::DecisionMade, registry)?,
        };
        for schema in written.iter() {
            if let Some(first) = written.with_id(schema.id).filter(|first| first.subject != schema.subject) {
                return Err(CodecError::SharedId { id: schema.id, first: first.subject, second: schema.subject });
            }
        }
        Ok(written)
    }

    /// In the order of [`Subject::ALL`].
    pub(super) fn iter(&self) -> impl Iterator<Item = &WrittenSchema> {
        [&self.signal, &self.trade, &self.void, &self.decision].into_iter()
    }

    /// The one with this id.
    pub(super) fn with_id(&self, id: SchemaId) -> Option<&WrittenSchema> {
        self.iter().find(|written| written.id == id)
    }
}
