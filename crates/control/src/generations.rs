//! The life of sets of generations: a fold of control records.
//!
//! ```text
//! planned -> building -> verifying -> ready -> active <-> standby -> dropped
//! ```
//! A set is named by its fingerprint. One is active; what reads use changes with one record. A set that was active stays
//! on standby: projectors keep it up, so that going back is one record too. Each set but the active one can be dropped, a
//! dropped one planned again.

use std::{collections::BTreeMap, fmt, sync::Arc};

use hindcast_domain::TimestampUs;
use hindcast_fold::generation::GenerationSet;
use serde::{Deserialize, Serialize};

/// Sets that are kept at the same time at most, the active one included: each is folded and stored whole.
pub const MAX_KEPT: usize = 3;
/// How long after it was last active a set stays: requests that began with it may still be reading it.
pub const LEAST_STANDBY_S: i64 = 60;

/// How long after it stopped being read a set still answers for records, microseconds.
const OVERLAP_US: i64 = 5_000_000;

/// A set of generations with the names of its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationTables {
    /// The set's fingerprint.
    pub name: Arc<str>,
    /// The generations.
    pub set: GenerationSet,
    /// Table of the admissions.
    pub admission_table: Arc<str>,
    /// Table of the books.
    pub book_table: Arc<str>,
    /// Table of the activities.
    pub activity_table: Arc<str>,
    /// Fingerprint of the books, as decisions name it.
    pub book_fingerprint: String,
}

/// Where a set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing is folded yet.
    Planned,
    /// A builder folds history into it.
    Building,
    /// Projectors keep it up; nobody has compared it yet, or it differed.
    Verifying,
    /// Compared within tolerance.
    Ready,
    /// Read.
    Active,
    /// Was active; projectors keep it up.
    Standby,
    /// Its tables are, or will be, removed.
    Dropped,
}

/// What a comparison found, as far as the log keeps it; whoever compared has the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationSummary {
    /// The set that it was compared with.
    pub compared_with: String,
    /// Offset of the next journal record by partition: up to here the set was folded when the comparison began.
    pub next_offsets: Vec<u64>,
    /// Rows compared.
    pub rows: u64,
    /// Rows that differ.
    pub different: u64,
    /// Decisions derived again.
    pub decisions: u64,
    /// Those with another action.
    pub flipped: u64,
    /// Whether all that lies within the tolerance that was asked for.
    pub within_tolerance: bool,
}

/// One step of a set's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The control record.
    pub offset: u64,
    /// When it was asked for.
    pub at: TimestampUs,
    /// Id of the API key that asked for it.
    pub by: String,
    /// Why, in the author's words.
    pub why: String,
    /// Where the set stood from then on.
    pub stage: Stage,
}

/// A set that control knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSet {
    /// Its generations and tables.
    pub tables: Arc<GenerationTables>,
    /// Where it stands.
    pub stage: Stage,
    /// Records a second that a builder folds at most.
    pub max_rate: Option<u32>,
    /// The last comparison.
    pub verification: Option<VerificationSummary>,
    /// Its life so far.
    pub steps: Vec<Step>,
}

/// All sets that control knows, by name, dropped ones too.
#[derive(Debug, Clone, Default)]
pub struct KnownSets {
    sets: BTreeMap<Arc<str>, Arc<KnownSet>>,
}

impl Stage {
    /// Name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Building => "building",
            Self::Verifying => "verifying",
            Self::Ready => "ready",
            Self::Active => "active",
            Self::Standby => "standby",
            Self::Dropped => "dropped",
        }
    }

    /// Whether projectors keep a set up that stands here.
    #[must_use]
    pub fn is_projected(self) -> bool {
        matches!(self, Self::Verifying | Self::Ready | Self::Active | Self::Standby)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl GenerationTables {
    /// Names the tables of a set of generations.
    #[must_use]
    pub fn new(set: GenerationSet) -> Self {
        Self {
            name: set.fingerprint().into(),
            admission_table: set.admission_table().into(),
            book_table: set.book_table().into(),
            activity_table: set.activity_table().into(),
            book_fingerprint: set.book_fingerprint(),
            set,
        }
    }

    /// The names of all its tables.
    #[must_use]
    pub fn all(&self) -> [&Arc<str>; 3] {
        [&self.book_table, &self.activity_table, &self.admission_table]
    }
}

impl KnownSet {
    /// Control offset of the last record that activated it.
    fn activated_at_offset(&self) -> Option<u64> {
        self.steps.iter().rev().find(|step| step.stage == Stage::Active).map(|step| step.offset)
    }

    /// When it stopped being read, if it was.
    #[must_use]
    pub fn standby_since(&self) -> Option<TimestampUs> {
        let standby = self.steps.iter().rev().take_while(|step| step.stage == Stage::Standby).last();
        standby.map(|step| step.at)
    }

    /// Whether it was what reads used at a time, or until shortly before: clocks differ, and so does the moment at which
    /// processes switch. What came before anything was active counts for the first set.
    #[must_use]
    pub fn was_read_at(&self, time: TimestampUs) -> bool {
        let mut begin = None;
        for (number, step) in self.steps.iter().enumerate() {
            match (begin, step.stage == Stage::Active) {
                (None, true) => begin = Some(if number == 0 { i64::MIN } else { step.at.0 }),
                (Some(first), false) => {
                    if (first..step.at.0.saturating_add(OVERLAP_US)).contains(&time.0) {
                        return true;
                    }
                    begin = None;
                }
                _ => {}
            }
        }
        begin.is_some_and(|first| time.0 >= first)
    }
}

impl KnownSets {
    /// A set by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<KnownSet>> {
        self.sets.get(name)
    }

    /// All of them, dropped ones too, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<KnownSet>> {
        self.sets.values()
    }

    /// The one that reads use.
    #[must_use]
    pub fn active(&self) -> Option<&Arc<KnownSet>> {
        self.sets.values().find(|known| known.stage == Stage::Active)
    }

    /// The one on standby that was active last: what a rollback activates.
    #[must_use]
    pub fn previous(&self) -> Option<&Arc<KnownSet>> {
        let on_standby = self.sets.values().filter(|known| known.stage == Stage::Standby);
        // Not the one that something happened to last: a set on standby can be compared again.
        on_standby.max_by_key(|known| known.activated_at_offset())
    }

    pub(crate) fn plan(&mut self, name: &str, set: GenerationSet, step: Step) -> Result<(), String> {
        let tables = GenerationTables::new(set);
        if *tables.name != *name {
            return Err(format!("this version gives these generations the fingerprint {}, not {name}", tables.name));
        }
        if let Some(known) = self.sets.get(name).filter(|known| known.stage != Stage::Dropped) {
            return Err(format!("it is {} already", known.stage));
        }
        let kept = self.sets.values().filter(|known| known.stage != Stage::Dropped).count();
        if kept >= MAX_KEPT {
            return Err(format!("{kept} sets of generations are kept, which is the most; drop one first"));
        }
        let mut steps = self.sets.get(name).map(|known| known.steps.clone()).unwrap_or_default();
        steps.push(step);
        let known =
            KnownSet { tables: Arc::new(tables), stage: Stage::Planned, max_rate: None, verification: None, steps };
        self.sets.insert(Arc::clone(&known.tables.name), Arc::new(known));
        Ok(())
    }

    /// A builder begins, or goes on at another rate.
    pub(crate) fn build(&mut self, name: &str, max_rate: Option<u32>, step: Step) -> Result<(), String> {
        self.advance(name, step, &[Stage::Planned, Stage::Building], |known| known.max_rate = max_rate)
    }

    pub(crate) fn built(&mut self, name: &str, step: Step) -> Result<(), String> {
        self.advance(name, step, &[Stage::Building], |_| {})
    }

    pub(crate) fn verified(&mut self, name: &str, summary: VerificationSummary, mut step: Step) -> Result<(), String> {
        let from = [Stage::Verifying, Stage::Ready, Stage::Standby];
        let stage = self.sets.get(name).map(|known| known.stage);
        step.stage = match stage {
            // What was active once may become it again, whatever it is compared with.
            Some(Stage::Standby) => Stage::Standby,
            _ if summary.within_tolerance => Stage::Ready,
            _ => Stage::Verifying,
        };
        self.advance(name, step, &from, |known| known.verification = Some(summary))
    }

    /// Reads use a set from here on. The first one ever needs no plan.
    pub(crate) fn activate(&mut self, set: GenerationSet, step: Step) -> Result<Arc<GenerationTables>, String> {
        let tables = Arc::new(GenerationTables::new(set));
        let before = self.active().cloned();
        if before.is_none() && self.sets.is_empty() {
            let known = KnownSet {
                tables: Arc::clone(&tables),
                stage: Stage::Active,
                max_rate: None,
                verification: None,
                steps: vec![step],
            };
            self.sets.insert(Arc::clone(&tables.name), Arc::new(known));
            return Ok(tables);
        }
        self.advance(&tables.name, step.clone(), &[Stage::Ready, Stage::Standby], |_| {})?;
        if let Some(before) = before {
            let name = Arc::clone(&before.tables.name);
            self.advance(&name, Step { stage: Stage::Standby, ..step }, &[Stage::Active], |_| {})?;
        }
        Ok(tables)
    }

    pub(crate) fn drop(&mut self, name: &str, step: Step) -> Result<(), String> {
        if let Some(since) = self.sets.get(name).and_then(|known| known.standby_since())
            && step.at.0 < since.0.saturating_add(LEAST_STANDBY_S * 1_000_000)
        {
            return Err(format!("it was active less than {LEAST_STANDBY_S} s ago and may still be read"));
        }
        let from = [Stage::Planned, Stage::Building, Stage::Verifying, Stage::Ready, Stage::Standby];
        self.advance(name, step, &from, |_| {})
    }

    fn advance(
        &mut self,
        name: &str,
        step: Step,
        from: &[Stage],
        change: impl FnOnce(&mut KnownSet),
    ) -> Result<(), String> {
        let known = self.sets.get_mut(name).ok_or("no such set was planned")?;
        if !from.contains(&known.stage) {
            let from = from.iter().map(|stage| stage.as_str()).collect::<Vec<_>>().join(" or ");
            return Err(format!("it is {}; it has to be {from}", known.stage));
        }
        let known = Arc::make_mut(known);
        known.stage = step.stage;
        known.steps.push(step);
        change(known);
        Ok(())
    }
}
