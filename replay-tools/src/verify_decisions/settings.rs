//! What was active at each control offset.

use std::{collections::BTreeMap, sync::Arc};

use hindcast_control::{ActiveScoring, GenerationTables, settings::ControlState};
use hindcast_journal::{Log, Topic};

use crate::pass::{ReplayError, durable_ends, each_record};

/// What decisions depend on.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) scoring: Option<Arc<ActiveScoring>>,
    pub(crate) generations: Option<Arc<GenerationTables>>,
}

/// What decisions depend on, by the control offset at which it became so. Most records of control are keys, which
/// change nothing of it.
#[derive(Debug, Default)]
pub(crate) struct SettingsHistory {
    changes: BTreeMap<u64, Active>,
    last_offset: Option<u64>,
}

impl SettingsHistory {
    pub(crate) fn read(log: &dyn Log) -> Result<Self, ReplayError> {
        let mut history = Self::default();
        let mut state = ControlState::default();
        let end = durable_ends(log, Topic::Control).first().copied().unwrap_or_default();
        each_record(log, Topic::Control, 0, end, |record| {
            state.apply(record);
            history.last_offset = Some(record.offset);
            history.note(record.offset, &state);
            Ok(())
        })?;
        Ok(history)
    }

    fn note(&mut self, offset: u64, state: &ControlState) {
        let (scoring, generations) = (&state.settings.scoring, &state.settings.generations);
        let last = self.changes.last_key_value().map(|(_, active)| active);
        if !last.is_some_and(|last| same(&last.scoring, scoring) && same(&last.generations, generations)) {
            self.changes.insert(offset, Active { scoring: scoring.clone(), generations: generations.clone() });
        }
    }

    /// What was active after the record at an offset; `None` beyond the end of control.
    pub(crate) fn at(&self, control_offset: u64) -> Option<&Active> {
        self.last_offset.filter(|last| control_offset <= *last)?;
        self.changes.range(..=control_offset).next_back().map(|(_, active)| active)
    }
}

fn same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}
