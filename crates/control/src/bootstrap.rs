//! What a fresh system publishes before it serves, and what a newer version adds.

use hindcast_domain::TimestampUs;
use hindcast_fold::generation::GenerationSet;
use hindcast_scoring::published::{PublishedModel, PublishedPolicy};

use crate::{
    change::Change,
    follower::Control,
    writer::{ChangeError, Requested},
};

/// A schema that this process writes or reads records with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedSchema {
    /// Id in the wire format.
    pub id: u32,
    /// Subject.
    pub subject: String,
    /// Version within the subject, from 1.
    pub version: u32,
    /// The Avro schema, JSON.
    pub schema: String,
}

/// Publishes what is missing: each schema under its id, before that id is first used; and, on a system where nobody has
/// decided otherwise yet, the default model, policy and generations.
///
/// Several processes may do this at once: who comes second finds it done.
///
/// # Errors
/// When control does not take a change.
pub async fn bootstrap(control: &Control, schemas: Vec<UsedSchema>, at: TimestampUs) -> Result<(), ChangeError> {
    for UsedSchema { id, subject, version, schema } in schemas {
        if !control.settings().schemas.contains_key(&id) {
            publish(control, Change::SchemaRegistered { id, subject, version, schema }, at).await?;
        }
    }
    if control.settings().generations.is_none() {
        publish(control, Change::GenerationsActivated { generations: GenerationSet::default() }, at).await?;
    }
    if control.settings().scoring.is_none() {
        let (model, policy) = (PublishedModel::default_kernel(), PublishedPolicy::default_threshold());
        let activated = Change::ScoringActivated {
            model: (model.name.clone(), model.version),
            policy: (policy.name.clone(), policy.version),
        };
        publish(control, Change::ModelPublished { model }, at).await?;
        publish(control, Change::PolicyPublished { policy }, at).await?;
        publish(control, activated, at).await?;
    }
    Ok(())
}

async fn publish(control: &Control, change: Change, at: TimestampUs) -> Result<(), ChangeError> {
    let why = "published by a first start or a newer version".to_owned();
    let requested = Requested { change, based_on: None, by: "system".to_owned(), why, at };
    match control.change(requested).await {
        Ok(_) | Err(ChangeError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
