//! What must be in control before anything else can be done.

use hindcast_domain::TimestampUs;
use hindcast_fold::generation::GenerationSet;
use hindcast_scoring::published::{PublishedModel, PublishedPolicy};

use crate::{
    change::Change,
    follower::Control,
    settings::Settings,
    writer::{ChangeError, Requested},
};

/// Who asks for what a first start publishes.
pub const SYSTEM: &str = "system";

/// A schema that this process writes or reads records with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedSchema {
    /// Id in the Confluent framing.
    pub id: u32,
    /// Subject.
    pub subject: String,
    /// Version within the subject, from 1.
    pub version: u32,
    /// The Avro schema, JSON.
    pub schema: String,
}

/// Makes control ready to be used: registers schemas that are not in it, and on a first start publishes and activates
/// the default model and policy and the default generations. Changes nothing that is there; returns how many records
/// it wrote. Call it at every start, before the first record is written with any of the schemas.
///
/// # Errors
/// When the log takes no change, or an id in control stands for another schema than here.
pub async fn bootstrap(control: &Control, schemas: Vec<UsedSchema>, at: TimestampUs) -> Result<u32, ChangeError> {
    let mut written = 0;
    for schema in schemas {
        check_same(&control.settings(), &schema)?;
        let is_there = |settings: &Settings| settings.schemas.contains_key(&schema.id);
        written += ensure(control, register(&schema), at, is_there).await?;
        check_same(&control.settings(), &schema)?;
    }
    let model = PublishedModel::default_kernel();
    let policy = PublishedPolicy::default_threshold();
    let model_id = (model.name.clone(), model.version);
    let policy_id = (policy.name.clone(), policy.version);
    let scoring = Change::ScoringActivated { model: model_id.clone(), policy: policy_id.clone() };
    let generations = Change::GenerationsActivated { generations: GenerationSet::default() };

    written += ensure(control, Change::ModelPublished { model }, at, |s| s.models.contains_key(&model_id)).await?;
    written += ensure(control, Change::PolicyPublished { policy }, at, |s| s.policies.contains_key(&policy_id)).await?;
    written += ensure(control, scoring, at, |s| s.scoring.is_some()).await?;
    written += ensure(control, generations, at, |s| s.generations.is_some()).await?;
    Ok(written)
}

/// Makes a change unless what it is for is there. Another process that starts at the same moment may be first.
async fn ensure(
    control: &Control,
    change: Change,
    at: TimestampUs,
    is_there: impl Fn(&Settings) -> bool,
) -> Result<u32, ChangeError> {
    if is_there(&control.settings()) {
        return Ok(0);
    }
    let based_on = control.last_change(&change.entity());
    let by = SYSTEM.to_owned();
    let requested = Requested { change, based_on, by, why: "first start".to_owned(), at };
    match control.change(requested).await {
        Ok(_) => Ok(1),
        Err(ChangeError::Conflict(_) | ChangeError::Refused { .. }) if is_there(&control.settings()) => Ok(0),
        Err(error) => Err(error),
    }
}

fn register(schema: &UsedSchema) -> Change {
    Change::SchemaRegistered {
        id: schema.id,
        subject: schema.subject.clone(),
        version: schema.version,
        schema: schema.schema.clone(),
    }
}

/// An id that means one schema to the writer and another to the log would make records unreadable for ever.
fn check_same(settings: &Settings, schema: &UsedSchema) -> Result<(), ChangeError> {
    let Some((subject, version, text)) = settings.schemas.get(&schema.id) else { return Ok(()) };
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    // By meaning, not by the letter: indentation may change.
    let is_same = (subject.as_str(), *version) == (schema.subject.as_str(), schema.version)
        && (*text == schema.schema || parse(text).is_some_and(|parsed| Some(parsed) == parse(&schema.schema)));
    if is_same {
        return Ok(());
    }
    let why = format!("the id stands for {subject} version {version}, not for {} as it is here", schema.subject);
    Err(ChangeError::Refused { entity: register(schema).entity(), why })
}
