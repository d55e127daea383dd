//! What is fresh and what is a duplicate.

use hindcast_domain::{EventKind, Position};
use hindcast_schemas::Event;
use uuid::Uuid;

use crate::encoding::RowError;

/// What the admission made of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Seen for the first time: it takes effect.
    Fresh,
    /// Seen before: it has no effect.
    Duplicate {
        /// Where it was seen first; `None` when only its import sequence tells that it was.
        first: Option<Position>,
        /// The content differs from what was first seen under the same id.
        conflicting: bool,
    },
    /// No fold can use it: it has no effect.
    Rejected(Unusable),
}

/// Why no fold can use a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unusable {
    /// Its bytes are no event.
    Undecodable,
    /// It is of a type that this version does not know.
    UnknownType,
    /// It names another user than its key.
    WrongUser,
    /// It has values that no event can have.
    Impossible,
    /// It takes back a trade that never took effect.
    NothingToVoid,
}

impl Unusable {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Undecodable, Self::UnknownType, Self::WrongUser, Self::Impossible, Self::NothingToVoid];

    /// The reason as a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::UnknownType => "unknown-type",
            Self::WrongUser => "wrong-user",
            Self::Impossible => "impossible",
            Self::NothingToVoid => "nothing-to-void",
        }
    }
}

/// What is known of the records of one user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Admission {
    applied: Option<Position>,
}

impl Admission {
    /// Position of the last record of the user.
    #[must_use]
    pub fn applied(&self) -> Option<Position> {
        self.applied
    }

    /// Where an event was first seen and the hash of its content; `None` when it is not among the latest ids.
    #[must_use]
    pub fn find(&self, _kind: EventKind, _event_id: Uuid) -> Option<(Position, u64)> {
        todo!()
    }

    /// The highest sequence seen of an import source.
    #[must_use]
    pub fn import_sequence(&self, _source: &str) -> Option<u64> {
        todo!()
    }

    /// Appends the row.
    pub fn encode(&self, _into: &mut Vec<u8>) {
        todo!()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the bytes are no row of an admission.
    pub fn decode(_row: &[u8]) -> Result<Self, RowError> {
        todo!()
    }

    /// Bytes of memory it takes, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        todo!()
    }
}

/// Hash of what the client said, to tell a repeated event from another one under the same id.
#[must_use]
pub fn content_hash(_event: &Event<'_>) -> u64 {
    todo!()
}
