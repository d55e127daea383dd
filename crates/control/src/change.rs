//! The records of the control topic: JSON, because they are few, read by people and kept for ever.

use std::fmt;

use hindcast_domain::{TimestampUs, UserId};
use hindcast_fold::generation::GenerationSet;
use hindcast_scoring::published::{PublishedModel, PublishedPolicy};
use serde::{Deserialize, Serialize};

use crate::generations::VerificationSummary;

/// What a change is about: the key of its record. Two changes of one entity can't both be based on the same state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entity(pub String);

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record of the control topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// Control offset of the entity's last change that its author knew; `None` for an entity that did not exist.
    /// A record based on anything but the latest is stale and has no effect.
    pub based_on: Option<u64>,
    /// When it was asked for, microseconds since 1970.
    pub at: TimestampUs,
    /// Id of the API key that asked for it, or `system` for what a first start publishes.
    pub by: String,
    /// Why, in the author's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What changes.
    pub change: Change,
}

/// A change of settings. Variants are added, never renamed nor removed: the log is kept for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A new API key; only the digest of its secret is known.
    ApiKeyCreated {
        /// Public id.
        id: String,
        /// Whose requests it authenticates.
        user_id: UserId,
        /// Names of the scopes.
        scopes: Vec<String>,
        /// SHA-256 of the whole key, in hex.
        sha256: String,
        /// When it stops working.
        expires_at: Option<TimestampUs>,
        /// Its own rate limit.
        requests_per_minute: Option<u32>,
    },
    /// A key stops working, for ever.
    ApiKeyRevoked {
        /// Public id.
        id: String,
    },
    /// A schema may be used in the logs under this id.
    SchemaRegistered {
        /// Id in the Confluent framing.
        id: u32,
        /// Subject.
        subject: String,
        /// Version within the subject, from 1.
        version: u32,
        /// The Avro schema, JSON.
        schema: String,
    },
    /// A model can be referred to.
    ModelPublished {
        /// The model.
        model: PublishedModel,
    },
    /// A policy can be referred to.
    PolicyPublished {
        /// The policy.
        policy: PublishedPolicy,
    },
    /// From here on confidences are made by this model and this policy.
    ScoringActivated {
        /// Name and version of a published model.
        model: (String, u32),
        /// Name and version of a published policy.
        policy: (String, u32),
    },
    /// A set of generations is to be built beside the active one.
    GenerationsPlanned {
        /// Its fingerprint, which every process checks against its own code.
        name: String,
        /// Admission, book and activity.
        generations: GenerationSet,
    },
    /// A builder is to fold history into a planned set.
    GenerationsBuilding {
        /// Fingerprint of the set.
        name: String,
        /// Records a second at most; as fast as it can without.
        max_rate: Option<u32>,
    },
    /// History is folded into a set; projectors keep it up from here on.
    GenerationsBuilt {
        /// Fingerprint of the set.
        name: String,
    },
    /// A set was compared with the active one.
    GenerationsVerified {
        /// Fingerprint of the set.
        name: String,
        /// What was found.
        verification: VerificationSummary,
    },
    /// A set is kept no longer.
    GenerationsDropped {
        /// Fingerprint of the set.
        name: String,
    },
    /// From here on reads use this set of generations.
    GenerationsActivated {
        /// Admission, book and activity.
        generations: GenerationSet,
    },
}

impl Change {
    /// The entity that changes.
    #[must_use]
    pub fn entity(&self) -> Entity {
        Entity(match self {
            Self::ApiKeyCreated { id, .. } | Self::ApiKeyRevoked { id } => format!("api-key/{id}"),
            Self::SchemaRegistered { id, .. } => format!("schema/{id}"),
            Self::ModelPublished { model } => format!("model/{}/{}", model.name, model.version),
            Self::PolicyPublished { policy } => format!("policy/{}/{}", policy.name, policy.version),
            Self::ScoringActivated { .. } => "scoring".to_owned(),
            Self::GenerationsPlanned { name, .. }
            | Self::GenerationsBuilding { name, .. }
            | Self::GenerationsBuilt { name }
            | Self::GenerationsVerified { name, .. }
            | Self::GenerationsDropped { name } => format!("generations/{name}"),
            Self::GenerationsActivated { .. } => "generations".to_owned(),
        })
    }
}
