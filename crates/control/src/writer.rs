//! Changing settings: append, read the own record back, tell whether it won.

use std::time::Duration;

use hindcast_domain::TimestampUs;
use hindcast_journal::{LogError, NewRecord, RecordType, Topic};

use crate::{
    change::{Change, ChangeRecord, Entity},
    follower::Control,
    settings::Effect,
};

/// A change and who asked for it.
#[derive(Debug, Clone)]
pub struct Requested {
    /// What changes.
    pub change: Change,
    /// Control offset of the entity's last change that the author knew.
    pub based_on: Option<u64>,
    /// Id of the author's API key, or `system`.
    pub by: String,
    /// Why, in the author's words.
    pub why: String,
    /// When it was asked for.
    pub at: TimestampUs,
}

/// Why a change was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeError {
    /// Someone else changed the entity first.
    #[error("{0} was changed by someone else in the meantime; read it again and repeat the change")]
    Conflict(Entity),
    /// It can't take effect on the state as it is.
    #[error("{entity} can't be changed so: {why}")]
    Refused {
        /// What was to change.
        entity: Entity,
        /// Why it can't.
        why: String,
    },
    /// The log did not take it, or may have taken it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It was recorded but not read back in time.
    #[error("the change was recorded at control offset {0} but not read back in time")]
    NotReadBack(u64),
}

impl Control {
    /// Appends a change and waits until this process has folded it; returns its control offset.
    ///
    /// # Errors
    /// [`ChangeError::Conflict`] when it lost against another change, [`ChangeError::Refused`] when it makes no sense, else
    /// as the log says.
    pub async fn change(&self, requested: Requested) -> Result<u64, ChangeError> {
        let entity = requested.change.entity();
        let Requested { change, based_on, by, why, at } = requested;
        let record = ChangeRecord { based_on, at, by, why, change };
        let value = serde_json::to_vec(&record).map_err(|e| LogError::not_stored(e.to_string()))?;
        let appended = self
            .log
            .append(vec![NewRecord {
                topic: Topic::Control,
                partition: 0,
                key: entity.0.as_bytes().into(),
                record_type: RecordType::Setting,
                timestamp_us: at.0,
                traceparent: None,
                value,
            }])
            .await?;
        let offset = appended.first().map(|position| position.offset).unwrap_or_default();
        let patience = Duration::from_millis(self.config.change_timeout_ms);
        if !self.reached(offset, patience).await {
            return Err(ChangeError::NotReadBack(offset));
        }
        match self.effect_at(offset) {
            Effect::Applied => Ok(offset),
            Effect::Stale => Err(ChangeError::Conflict(entity)),
            Effect::Refused(why) => Err(ChangeError::Refused { entity, why }),
        }
    }
}
