//! The fold of the control topic: pure, so that the settings behind any decision can be derived again from a prefix.

use std::{
    collections::{BTreeMap, HashMap, VecDeque, btree_map::Entry},
    sync::Arc,
};

use hindcast_journal::{Record, RecordType};
use hindcast_scoring::published::{Model, Policy, PublishedModel, PublishedPolicy};

use crate::{
    change::{Change, ChangeRecord, Entity},
    generations::{GenerationTables, KnownSets, Stage, Step},
    keys::{ApiKey, ApiKeys, sha256_from_hex},
};

/// What scores and what decides, ready to run.
#[derive(Debug, Clone)]
pub struct ActiveScoring {
    /// The model as published.
    pub published_model: PublishedModel,
    /// The policy as published.
    pub published_policy: PublishedPolicy,
    /// SHA-256 of the model's canonical JSON, in hex.
    pub model_digest: String,
    /// SHA-256 of the policy's canonical JSON, in hex.
    pub policy_digest: String,
    /// The model, runnable.
    pub model: Model,
    /// The policy, runnable.
    pub policy: Policy,
}

/// Everything but the keys, which are many and change one by one.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Offset of the last control record folded; `None` before the first.
    pub offset: Option<u64>,
    /// Models by name and version.
    pub models: BTreeMap<(String, u32), PublishedModel>,
    /// Policies by name and version.
    pub policies: BTreeMap<(String, u32), PublishedPolicy>,
    /// What scores now.
    pub scoring: Option<Arc<ActiveScoring>>,
    /// What reads use now.
    pub generations: Option<Arc<GenerationTables>>,
    /// All sets of generations and where they stand.
    pub sets: KnownSets,
    /// Subject, version and text of schemas by id.
    pub schemas: BTreeMap<u32, (String, u32, String)>,
}

/// What one control record did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It took effect.
    Applied,
    /// It was based on something older than its entity's last change.
    Stale,
    /// It can't take effect; the text says why.
    Refused(String),
}

/// The state of the fold. Keys are apart so that readers can hold a cheap snapshot of the rest.
#[derive(Debug, Default)]
pub struct ControlState {
    /// Everything but the keys.
    pub settings: Settings,
    /// The keys.
    pub keys: ApiKeys,
    last_change: HashMap<Entity, u64>,
    /// The latest records without effect by offset, for authors who ask what became of theirs.
    without_effect: VecDeque<(u64, Effect)>,
}

/// How many records without effect are remembered; an author asks within seconds.
const REMEMBERED_WITHOUT_EFFECT: usize = 4_096;

impl ControlState {
    /// Offset of the last effective change of an entity.
    #[must_use]
    pub fn last_change(&self, entity: &Entity) -> Option<u64> {
        self.last_change.get(entity).copied()
    }

    /// What a record that was folded a moment ago did.
    #[must_use]
    pub fn effect_at(&self, offset: u64) -> Effect {
        let found = self.without_effect.iter().rev().find(|(other, _)| *other == offset);
        found.map_or(Effect::Applied, |(_, effect)| effect.clone())
    }

    /// Folds one record of the control topic. Total: a record that can't be used has no effect but on the offset.
    pub fn apply(&mut self, record: &Record) -> Effect {
        let effect = self.fold(record);
        if effect != Effect::Applied {
            if self.without_effect.len() == REMEMBERED_WITHOUT_EFFECT {
                self.without_effect.pop_front();
            }
            self.without_effect.push_back((record.offset, effect.clone()));
        }
        effect
    }

    fn fold(&mut self, record: &Record) -> Effect {
        self.settings.offset = Some(record.offset);
        if record.record_type == RecordType::Genesis {
            return Effect::Applied;
        }
        let change: ChangeRecord = match serde_json::from_slice(&record.value) {
            Ok(change) => change,
            Err(error) => return Effect::Refused(format!("not a change record: {error}")),
        };
        let entity = change.change.entity();
        if record.key.as_ref() != entity.0.as_bytes() {
            return Effect::Refused("its key is not its entity".to_owned());
        }
        if change.based_on != self.last_change(&entity) {
            return Effect::Stale;
        }
        match self.apply_change(change, record.offset) {
            Ok(()) => {
                self.last_change.insert(entity, record.offset);
                Effect::Applied
            }
            Err(why) => Effect::Refused(why),
        }
    }

    fn apply_change(&mut self, record: ChangeRecord, offset: u64) -> Result<(), String> {
        let settings = &mut self.settings;
        let ChangeRecord { at, by, why, change, .. } = record;
        let step = |stage| Step { offset, at, by: by.clone(), why: why.clone(), stage };
        match change {
            Change::ApiKeyCreated { id, user_id, scopes, sha256, expires_at, requests_per_minute } => {
                let sha256 = sha256_from_hex(&sha256).ok_or("its digest is not 64 hex digits")?;
                // Whoever has an id or a secret in some old log or answer must never meet another key under it.
                if self.keys.by_id(&id).is_some() || self.keys.by_sha256(&sha256).is_some() {
                    return Err("there is a key of this id or secret already".to_owned());
                }
                self.keys.insert(ApiKey {
                    id: id.into(),
                    user_id,
                    scopes: scopes.into_iter().map(Into::into).collect(),
                    sha256,
                    created_at: at,
                    expires_at,
                    requests_per_minute,
                    revoked_at: None,
                });
            }
            Change::ApiKeyRevoked { id } => {
                let key = self.keys.by_id(&id).ok_or("there is no such key")?;
                if key.revoked_at.is_some() {
                    return Err("the key is revoked already".to_owned());
                }
                self.keys.revoke(&key, at);
            }
            Change::SchemaRegistered { id, subject, version, schema } => {
                once(&mut settings.schemas, id, (subject, version, schema))?;
            }
            Change::ModelPublished { model } => {
                once(&mut settings.models, (model.name.clone(), model.version), model)?;
            }
            Change::PolicyPublished { policy } => {
                once(&mut settings.policies, (policy.name.clone(), policy.version), policy)?;
            }
            Change::ScoringActivated { model, policy } => {
                let model = settings.models.get(&model).ok_or("its model was not published")?;
                let policy = settings.policies.get(&policy).ok_or("its policy was not published")?;
                settings.scoring = Some(Arc::new(ActiveScoring {
                    model_digest: model.digest(),
                    policy_digest: policy.digest(),
                    model: model.runnable().map_err(|e| e.to_string())?,
                    policy: policy.runnable().map_err(|e| e.to_string())?,
                    published_model: model.clone(),
                    published_policy: policy.clone(),
                }));
            }
            Change::GenerationsPlanned { name, generations } => {
                settings.sets.plan(&name, generations, step(Stage::Planned))?;
            }
            Change::GenerationsBuilding { name, max_rate } => {
                settings.sets.build(&name, max_rate, step(Stage::Building))?;
            }
            Change::GenerationsBuilt { name } => settings.sets.built(&name, step(Stage::Verifying))?,
            Change::GenerationsVerified { name, verification } => {
                settings.sets.verified(&name, verification, step(Stage::Ready))?;
            }
            Change::GenerationsActivated { generations } => {
                settings.generations = Some(settings.sets.activate(generations, step(Stage::Active))?);
            }
            Change::GenerationsDropped { name } => settings.sets.drop(&name, step(Stage::Dropped))?,
        }
        Ok(())
    }
}

/// Decisions and records refer to what is published for ever, so that it never changes.
fn once<K: Ord, V>(published: &mut BTreeMap<K, V>, key: K, value: V) -> Result<(), String> {
    match published.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
        Entry::Occupied(_) => Err("it is published already, and what is published never changes".to_owned()),
    }
}
