//! Where ids of schemas come from.

use std::sync::Arc;

use crate::known::KNOWN_SCHEMAS;

/// Gives every schema an id and knows the schema of every id.
///
/// An implementer MUST
/// - give the same id for the same subject and schema for ever, and never give an id to two schemas;
/// - answer `Ok(None)` only if it is sure that the id was never given: a record with such an id is bad data for ever.
///   Being unable to ask is an error, and errors are retried;
/// - answer within a bounded time: the caller waits.
pub trait Registry: Send + Sync {
    /// The id of a schema; registers it if it is new.
    ///
    /// # Errors
    /// When the registry can't be asked, or refuses the schema.
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError>;

    /// The schema of an id; `None` if there is no such id.
    ///
    /// # Errors
    /// When the registry can't be asked.
    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError>;
}

/// Why a registry gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schema registry: {detail}")]
pub struct RegistryError {
    /// Whether asking again can help.
    pub retryable: bool,
    /// What happened, in words.
    pub detail: String,
}

impl<R: Registry + ?Sized> Registry for &R {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        (**self).id_of(subject, schema_json)
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        (**self).schema_of(id)
    }
}

impl<R: Registry + ?Sized> Registry for Arc<R> {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        (**self).id_of(subject, schema_json)
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        (**self).schema_of(id)
    }
}

/// The registry of the embedded engine: the schemas of this build under ids that never change.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalRegistry;

impl Registry for LocalRegistry {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        KNOWN_SCHEMAS
            .iter()
            .find(|known| known.subject.name() == subject && known.json == schema_json)
            .map(|known| known.local_id)
            .ok_or_else(|| RegistryError {
                retryable: false,
                detail: format!("this build has no such schema of {subject}, and the local registry takes no new ones"),
            })
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        Ok(KNOWN_SCHEMAS.iter().find(|known| known.local_id == id).map(|known| Arc::from(known.json)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_schema_has_its_id() {
        for known in KNOWN_SCHEMAS {
            assert_eq!(LocalRegistry.id_of(known.subject.name(), known.json), Ok(known.local_id));
            assert_eq!(LocalRegistry.schema_of(known.local_id), Ok(Some(Arc::from(known.json))));
        }
        assert_eq!(LocalRegistry.schema_of(0), Ok(None));
        let refused = LocalRegistry.id_of("hindcast.SignalReceived", "\"string\"").unwrap_err();
        assert!(!refused.retryable, "{refused}");
    }
}
