//! Two tables of a projection, row by row.
//!
//! The store has no snapshots and both tables grow meanwhile, so rows are compared where both are of the same position,
//! and the others read again until they are. Projectors see to it that rows which change all the time are now and then.

use std::time::Duration;

use hindcast_fold::{
    comparison::{Comparability, Projection},
    generation::GenerationSet,
    keys,
};
use hindcast_views::{Row, TableName, ViewError, ViewStore};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// Rows read at once.
/// Of up to 40 kB, of two tables.
const PAGE_ROWS: usize = 128;
/// Differences listed; all are counted.
const MAX_LISTED: usize = 20;
/// Rows that may wait to be read again at a time; more than that are waited for at once.
const MAX_UNSETTLED: usize = 4_096;
/// Between two looks at rows of different positions.
const PAUSE: Duration = Duration::from_millis(20);

/// How long rows are read again that are not of the same position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// What was found in one projection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowsOfProjection {
    /// The projection.
    pub projection: String,
    /// Rows compared.
    pub compared: u64,
    /// Rows that differ.
    pub different: u64,
    /// Rows that only the old table has.
    pub only_old: u64,
    /// Rows that only the new table has.
    pub only_new: u64,
    /// Rows that never were of the same position.
    pub unsettled: u64,
    /// The first differences.
    pub differences: Vec<RowDifference>,
    /// What the two can't be compared in.
    pub not_compared: Vec<String>,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowDifference {
    /// Its key, for people.
    pub key: String,
    /// What differs.
    pub field: String,
    /// In the old table.
    pub old: String,
    /// In the new table.
    pub new: String,
}

/// How two rows of a key relate.
enum Relation {
    Same,
    Different(RowDifference),
    OnlyOld,
    OnlyNew,
    /// Of different positions.
    Apart,
}

struct Tables<'a> {
    views: &'a dyn ViewStore,
    projection: Projection,
    comparability: Comparability,
    old: TableName,
    new: TableName,
}

/// Compares all rows of two sets of generations. `progress` is told how many rows were compared, in all projections.
///
/// # Errors
/// When the store can't be read, or a row is damaged.
pub async fn compare_rows(
    views: &dyn ViewStore,
    old: &GenerationSet,
    new: &GenerationSet,
    patience: Patience,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Vec<RowsOfProjection>, ViewError> {
    let comparability = Comparability::of(old, new);
    let mut found = Vec::new();
    let mut before = 0;
    for projection in Projection::ALL {
        let [old, new] = [old, new].map(|set| TableName(table(set, projection).into()));
        let tables = Tables { views, projection, comparability, old, new };
        let rows = tables.compare(patience, |compared| progress(before + compared)).await?;
        before += rows.compared;
        found.push(rows);
    }
    Ok(found)
}

fn table(set: &GenerationSet, projection: Projection) -> String {
    match projection {
        Projection::Admission => set.admission_table(),
        Projection::Book => set.book_table(),
        Projection::Activity => set.activity_table(),
    }
}

impl Tables<'_> {
    async fn compare(&self, patience: Patience, mut progress: impl FnMut(u64)) -> Result<RowsOfProjection, ViewError> {
        let left_out = self.comparability.not_compared(self.projection);
        let mut found = RowsOfProjection {
            projection: self.projection.as_str().to_owned(),
            not_compared: left_out.into_iter().map(str::to_owned).collect(),
            ..RowsOfProjection::default()
        };
        let deadline = Instant::now() + patience.0;
        // By the first table all keys of it, by the second those that the first has not.
        for is_old in [true, false] {
            let mut after = None;
            let mut apart = Vec::new();
            loop {
                let from = if is_old { &self.old } else { &self.new };
                let page = self.views.scan(from, after.take(), PAGE_ROWS).await?;
                let is_last = page.len() < PAGE_ROWS;
                after = page.last().map(|(key, _)| key.clone());
                let keys: Vec<Vec<u8>> = page.iter().map(|(key, _)| key.clone()).collect();
                let into = if is_old { &self.new } else { &self.old };
                let others = self.views.read(into, keys).await?;
                for ((key, row), other) in page.into_iter().zip(others) {
                    let is_told = !is_old && other.is_some();
                    let (old, new) = if is_old { (Some(row), other) } else { (other, Some(row)) };
                    match self.relation(&key, old.as_ref(), new.as_ref())? {
                        // Compared, or waited for, by the first table.
                        _ if is_told => {}
                        // What is missing may just not be there yet.
                        Relation::Apart | Relation::OnlyOld | Relation::OnlyNew => apart.push(key),
                        relation => found.note(relation, self.projection, &key),
                    }
                }
                if is_last || apart.len() >= MAX_UNSETTLED {
                    self.settle(std::mem::take(&mut apart), deadline, &mut found).await?;
                }
                progress(found.compared);
                if is_last {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Reads rows again until they are of the same position.
    async fn settle(
        &self,
        mut apart: Vec<Vec<u8>>,
        deadline: Instant,
        found: &mut RowsOfProjection,
    ) -> Result<(), ViewError> {
        while !apart.is_empty() {
            let is_last_look = Instant::now() >= deadline;
            let mut still_apart = Vec::new();
            for keys in apart.chunks(PAGE_ROWS) {
                let old = self.views.read(&self.old, keys.to_vec()).await?;
                let new = self.views.read(&self.new, keys.to_vec()).await?;
                for ((key, old), new) in keys.iter().zip(old).zip(new) {
                    match self.relation(key, old.as_ref(), new.as_ref())? {
                        Relation::Apart | Relation::OnlyOld | Relation::OnlyNew if !is_last_look => {
                            still_apart.push(key.clone());
                        }
                        relation => found.note(relation, self.projection, key),
                    }
                }
            }
            apart = still_apart;
            if !apart.is_empty() {
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    fn relation(&self, key: &[u8], old: Option<&Row>, new: Option<&Row>) -> Result<Relation, ViewError> {
        let (old, new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            (None, Some(_)) => return Ok(Relation::OnlyNew),
            (_, None) => return Ok(Relation::OnlyOld),
        };
        if old.applied != new.applied {
            return Ok(Relation::Apart);
        }
        let difference = self.comparability.difference(self.projection, &old.state, &new.state);
        let difference = difference.map_err(|error| ViewError {
            retryable: false,
            detail: format!("the row {} of {} or {}: {error}", named(self.projection, key), self.old.0, self.new.0),
        })?;
        Ok(difference.map_or(Relation::Same, |difference| {
            let key = named(self.projection, key);
            Relation::Different(RowDifference {
                key,
                field: difference.field,
                old: difference.old,
                new: difference.new,
            })
        }))
    }
}

impl RowsOfProjection {
    /// Whether there is nothing in which the tables differ, as far as they can be compared.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different + self.only_old + self.only_new + self.unsettled == 0
    }

    fn note(&mut self, relation: Relation, projection: Projection, key: &[u8]) {
        let listed = match relation {
            Relation::Same => {
                self.compared += 1;
                return;
            }
            Relation::Different(difference) => {
                self.compared += 1;
                self.different += 1;
                difference
            }
            Relation::OnlyOld => {
                self.only_old += 1;
                missing(projection, key, "a row", "none")
            }
            Relation::OnlyNew => {
                self.only_new += 1;
                missing(projection, key, "none", "a row")
            }
            Relation::Apart => {
                self.unsettled += 1;
                missing(projection, key, "another position", "another position")
            }
        };
        if self.differences.len() < MAX_LISTED {
            self.differences.push(listed);
        }
    }
}

fn missing(projection: Projection, key: &[u8], old: &str, new: &str) -> RowDifference {
    RowDifference { key: named(projection, key), field: "applied".to_owned(), old: old.to_owned(), new: new.to_owned() }
}

/// A key for people.
fn named(projection: Projection, key: &[u8]) -> String {
    let named = match projection {
        Projection::Admission => keys::parse_admission_key(key).map(str::to_owned),
        Projection::Book => keys::parse_book_key(key).map(|(user, symbol)| format!("{user} {symbol}")),
        Projection::Activity => keys::parse_activity_key(key).map(|(user, day)| format!("{user} day {day}")),
    };
    named.unwrap_or_else(|| key.escape_ascii().to_string())
}
