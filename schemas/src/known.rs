//! Every version of every schema that a record was ever written with.

/// What a schema is of. Its name is the name of the subject in a registry and of the record in Avro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// See [`crate::SignalReceived`].
    SignalReceived,
    /// See [`crate::TradeClosed`].
    TradeClosed,
    /// See [`crate::TradeVoided`].
    TradeVoided,
    /// See [`crate::DecisionMade`].
    DecisionMade,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SignalReceived, Self::TradeClosed, Self::TradeVoided, Self::DecisionMade];

    /// The name in a registry, for example `hindcast.SignalReceived`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignalReceived => "hindcast.SignalReceived",
            Self::TradeClosed => "hindcast.TradeClosed",
            Self::TradeVoided => "hindcast.TradeVoided",
            Self::DecisionMade => "hindcast.DecisionMade",
        }
    }

    /// The subject of a record by its Avro name. The namespace is left out: Avro resolves records by their short name.
    #[must_use]
    pub fn of_record(short_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.name().rsplit('.').next() == Some(short_name))
    }
}

/// One version of one schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSchema {
    /// What it is of.
    pub subject: Subject,
    /// Version of the subject, from 1.
    pub version: u32,
    /// Its id in [`crate::LocalRegistry`]: given once, never to another schema.
    pub local_id: u32,
    /// The text of `avsc/`.
    pub json: &'static str,
}

macro_rules! known {
    ($($local_id:literal: $name:ident v $version:literal,)+) => {
        &[$(KnownSchema {
            subject: Subject::$name,
            version: $version,
            local_id: $local_id,
            json: include_str!(concat!("../avsc/", stringify!($name), ".v", $version, ".avsc")),
        },)+]
    };
}

/// Every version, in the order in which they came to be: append only, ids are never reused nor renumbered, because
/// embedded logs carry them.
pub const KNOWN_SCHEMAS: &[KnownSchema] = known! {
    1: SignalReceived v 1,
    2: TradeClosed v 1,
    3: TradeVoided v 1,
    4: DecisionMade v 1,
    5: SignalReceived v 2,
    6: TradeClosed v 2,
    7: DecisionMade v 2,
};

/// The versions of one subject, oldest first.
pub fn versions_of(subject: Subject) -> impl Iterator<Item = &'static KnownSchema> {
    KNOWN_SCHEMAS.iter().filter(move |known| known.subject == subject)
}

/// The version that is written.
#[must_use]
pub fn current(subject: Subject) -> Option<&'static KnownSchema> {
    versions_of(subject).last()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_given_once_and_versions_are_counted_from_1() {
        let ids: BTreeSet<_> = KNOWN_SCHEMAS.iter().map(|known| known.local_id).collect();
        assert_eq!(ids.len(), KNOWN_SCHEMAS.len());
        for subject in Subject::ALL {
            let versions: Vec<_> = versions_of(subject).map(|known| known.version).collect();
            let counted: Vec<_> = (1..).take(versions.len()).collect();
            assert_eq!(versions, counted, "{subject:?}");
            assert!(!versions.is_empty(), "{subject:?}");
        }
    }

    #[test]
    fn subjects_by_record_name() {
        assert_eq!(Subject::of_record("TradeVoided"), Some(Subject::TradeVoided));
        assert_eq!(Subject::of_record("hindcast.TradeVoided"), None);
        assert_eq!(Subject::of_record("Position"), None);
    }
}
