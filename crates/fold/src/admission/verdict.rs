//! What the admission says of a record.

use hindcast_domain::Position;

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
