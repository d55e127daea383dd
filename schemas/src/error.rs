//! What can go wrong between bytes and events.

use crate::{RegistryError, Subject, Unsound};

/// Longest description of what is wrong with a record.
const MAX_DETAIL_BYTES: usize = 200;

/// Why a codec can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The registry gave no id for a schema.
    #[error("no id for version {version} of {}: {source}", subject.name())]
    Registry {
        /// The schema's subject.
        subject: Subject,
        /// Its version.
        version: u32,
        /// What the registry said; tells whether trying again can help.
        source: RegistryError,
    },
    /// The registry gave one id to two schemas that are not of one subject.
    #[error("the registry gave id {id} to schemas of both {} and {}", first.name(), second.name())]
    SharedId {
        /// The id.
        id: u32,
        /// One subject.
        first: Subject,
        /// The other.
        second: Subject,
    },
    /// A schema of this build is no Avro schema.
    #[error("version {version} of {} is not a usable schema: {detail}", subject.name())]
    Schema {
        /// The schema's subject.
        subject: Subject,
        /// Its version.
        version: u32,
        /// What is wrong with it.
        detail: String,
    },
}

/// Why a value was not encoded. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The value breaks a rule that every reader relies on.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The value doesn't fit its schema: an offset or sequence beyond 63 bits.
    #[error("does not fit its schema: {detail}")]
    Schema {
        /// What doesn't fit.
        detail: String,
    },
}

/// Why a record was not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It can never be decoded: not framed, not of its schema, of a schema that doesn't exist or is of something else.
    #[error("malformed record: {detail}")]
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// Its schema can't be fetched now. To be tried again; never to be treated as bad data.
    #[error("schema {id} can't be fetched now: {detail}")]
    SchemaUnavailable {
        /// Id of the schema.
        id: u32,
        /// What the registry said.
        detail: String,
    },
}

impl From<Unsound> for DecodeError {
    fn from(unsound: Unsound) -> Self {
        Self::malformed(unsound.to_string())
    }
}

impl DecodeError {
    /// A record that can never be decoded.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        // Parts of the record may stand in it, and a record can be large.
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL_BYTES));
        Self::Malformed { detail }
    }

    /// Whether decoding the same bytes later can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::SchemaUnavailable { .. })
    }
}
