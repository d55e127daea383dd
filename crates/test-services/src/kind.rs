//! The kinds of services.

use serde::{Deserialize, Serialize};

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Apache Kafka: the log.
    Kafka,
    /// Apache Cassandra: the store of views. Stands in for ScyllaDB, which is in no package registry.
    Cassandra,
    /// Apicurio Registry with Confluent's API: the registry of schemas.
    Registry,
}

impl Kind {
    /// All of them, in the order in which they start.
    pub const ALL: [Self; 3] = [Self::Kafka, Self::Cassandra, Self::Registry];

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Cassandra => "cassandra",
            Self::Registry => "registry",
        }
    }

    /// The version, as pinned in `infra/local/NAME/pom.xml`.
    #[must_use]
    pub fn version(self) -> &'static str {
        // The first version is the project's own.
        let after = self.pom().split_once("<version>").map(|(_, rest)| rest);
        after.and_then(|rest| rest.split_once("</version>")).map_or("unknown", |(version, _)| version)
    }

    pub(crate) fn pom(self) -> &'static str {
        match self {
            Self::Kafka => include_str!("../../../infra/local/kafka/pom.xml"),
            Self::Cassandra => include_str!("../../../infra/local/cassandra/pom.xml"),
            Self::Registry => include_str!("../../../infra/local/registry/pom.xml"),
        }
    }

    /// Whether it comes as one archive instead of as jars.
    pub(crate) fn is_archive(self) -> bool {
        self == Self::Registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_poms() {
        for kind in Kind::ALL {
            assert!(kind.version().starts_with(|first: char| first.is_ascii_digit()), "{kind:?}: {}", kind.version());
        }
    }
}
