//! Whether every version of a schema can be read by every other: compatibility `FULL_TRANSITIVE`.
//!
//! What is judged is what a reader in any language may do under Avro's rules of resolution; what this build does with
//! bytes of every version is held by the golden records.

mod expand;

use std::fmt;

use apache_avro::{
    Schema,
    error::CompatibilityError,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};
use expand::expand;

use crate::{Subject, known::versions_of};

/// Two versions of a subject of which one can't read all that the other writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatibility {
    /// The subject.
    pub subject: Subject,
    /// Version that writes.
    pub writer_version: u32,
    /// Version that can't read it.
    pub reader_version: u32,
    /// Why it can't.
    pub conflict: Conflict,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, writer_version, reader_version, conflict } = self;
        let name = subject.name();
        write!(f, "version {reader_version} of {name} can't read what version {writer_version} writes: {conflict}")
    }
}

/// Why one schema can't read another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// One of them is no Avro schema.
    #[error("the {side} is no Avro schema: {detail}")]
    NotASchema {
        /// Which one: `reader` or `writer`.
        side: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// No record can be read.
    #[error("{detail}")]
    Never {
        /// What stands against it.
        detail: String,
    },
    /// Some records can be read and some can't: a symbol without a default, or a type that a union lacks.
    #[error("only some of its records: an enum or a union of the reader lacks what the writer may write")]
    SometimesOnly,
}

/// Every pair of known versions that is not compatible; a build that has any must not be released.
#[must_use]
pub fn check_all() -> Vec<Incompatibility> {
    Subject::ALL.into_iter().flat_map(|subject| check_versions(subject, &known(subject))).collect()
}

/// What would not be compatible any more if a schema became the next version of a subject.
#[must_use]
pub fn check_next(subject: Subject, json: &str) -> Vec<Incompatibility> {
    let mut versions = known(subject);
    let next = versions.last().map_or(1, |(version, _)| version + 1);
    versions.push((next, json));
    check_versions(subject, &versions)
}

/// Whether a reader's schema reads everything that is written with a writer's schema.
///
/// # Errors
/// What stands against it.
pub fn can_read(reader_json: &str, writer_json: &str) -> Result<(), Conflict> {
    let [reader, writer] = [("reader", reader_json), ("writer", writer_json)]
        .map(|(side, json)| parse(json).map_err(|detail| Conflict::NotASchema { side, detail }));
    match SchemaCompatibility::can_read(&writer?, &reader?) {
        Ok(Compatibility::Full) => Ok(()),
        Ok(Compatibility::Partial) => Err(Conflict::SometimesOnly),
        Err(error) => Err(Conflict::Never { detail: describe(&error) }),
    }
}

fn known(subject: Subject) -> Vec<(u32, &'static str)> {
    versions_of(subject).map(|known| (known.version, known.json)).collect()
}

/// All pairs in both directions; each version with itself too, which finds what is no schema at all.
fn check_versions(subject: Subject, versions: &[(u32, &str)]) -> Vec<Incompatibility> {
    let mut found = Vec::new();
    for (writer_version, writer_json) in versions.iter().copied() {
        for (reader_version, reader_json) in versions.iter().copied() {
            if let Err(conflict) = can_read(reader_json, writer_json) {
                found.push(Incompatibility { subject, writer_version, reader_version, conflict });
            }
        }
    }
    found
}

fn parse(json: &str) -> Result<Schema, String> {
    let schema = Schema::parse_str(json).map_err(|error| error.to_string())?;
    expand(schema).map_err(|error| error.to_string())
}

fn describe(error: &CompatibilityError) -> String {
    match error {
        CompatibilityError::FieldTypeMismatch(field, inner) => format!("{field}: {}", describe(inner)),
        CompatibilityError::MissingDefaultValue(field) => {
            format!("{field}: the writer lacks it and the reader has no default")
        }
        // Its own text is both types in full.
        CompatibilityError::WrongType { .. } => "one type can't be read as the other".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
