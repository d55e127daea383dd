//! From a record of the journal to what the folds take.
//!
//! The live projector, a rebuild and offline replay must agree on every record, usable or not; so there is one way.

use hindcast_domain::UserId;
use hindcast_fold::{admission::Unusable, pipeline::Input};
use hindcast_journal::{Record, RecordType};
use hindcast_schemas::{Codec, DecodeError};

/// A record of the journal.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // nearly all are facts
pub enum Journaled<'a> {
    /// The log's own, not a fact.
    Marker,
    /// Something of which nobody is the owner: its key is no user id. It can change no state.
    Ownerless,
    /// A fact of a user's, or something that should have been one.
    Fact {
        /// The owner.
        user: &'a str,
        /// What the folds take.
        input: Input<'a>,
    },
}

/// Reads a record of the journal.
///
/// The type in the record's header is not needed to read it: a record that a foreign producer left without one is as
/// good as any. It only tells what kind of unusable an unreadable record is.
///
/// # Errors
/// When the record's schema can't be fetched now. To be tried again; never to be treated as bad data.
pub fn read_journaled<'a>(codec: &Codec, record: &'a Record) -> Result<Journaled<'a>, DecodeError> {
    if record.record_type == RecordType::Genesis {
        return Ok(Journaled::Marker);
    }
    let Some(user) = std::str::from_utf8(&record.key).ok().filter(|key| UserId::is_valid(key)) else {
        return Ok(Journaled::Ownerless);
    };
    let input = match codec.decode_event(&record.value) {
        Ok(event) => Input::Event(event),
        Err(error) if error.is_retryable() => return Err(error),
        Err(error) => Input::Unusable { reason: reason_of(record.record_type), detail: error.to_string() },
    };
    Ok(Journaled::Fact { user, input })
}

fn reason_of(record_type: RecordType) -> Unusable {
    match record_type {
        RecordType::Signal | RecordType::Trade | RecordType::Void => Unusable::Undecodable,
        RecordType::Genesis
        | RecordType::Decision
        | RecordType::Setting
        | RecordType::DeadLetter
        | RecordType::Unknown => Unusable::UnknownType,
    }
}

#[cfg(test)]
mod tests;
