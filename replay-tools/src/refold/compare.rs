//! Whether a view store holds what was folded from scratch.

use std::{collections::BTreeMap, fmt};

use hindcast_domain::Position;
use hindcast_views::{Row, TableName, ViewError, ViewStore};

use super::Refolded;

/// Differences listed; all are counted.
const MAX_LISTED: usize = 100;
const SCAN_ROWS: usize = 1_024;

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Rows that are the same.
    pub same: u64,
    /// How many differences there are.
    pub different: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// One difference between a view store and a fold from scratch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The store has no such row.
    Missing {
        /// The table.
        table: TableName,
        /// The row's key.
        key: Vec<u8>,
    },
    /// Nothing in the journal makes this row.
    Unexpected {
        /// The table.
        table: TableName,
        /// The row's key.
        key: Vec<u8>,
    },
    /// The row is of another position.
    Applied {
        /// The table.
        table: TableName,
        /// The row's key.
        key: Vec<u8>,
        /// Position by the fold.
        expected: Position,
        /// Position in the store.
        found: Position,
    },
    /// The row is of the right position but has other bytes.
    State {
        /// The table.
        table: TableName,
        /// The row's key.
        key: Vec<u8>,
        /// Index of the first byte that differs.
        first_byte: usize,
    },
    /// The store's progress is not that of the prefix that was folded.
    Progress {
        /// The table.
        table: TableName,
        /// The partition.
        partition: u16,
        /// Next offset of the prefix that was folded.
        expected: u64,
        /// Next offset of the store, if it has any.
        found: Option<u64>,
    },
}

impl Comparison {
    /// Whether the store holds just what was folded.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different == 0
    }

    fn differs(&mut self, difference: Difference) {
        self.different += 1;
        if self.differences.len() < MAX_LISTED {
            self.differences.push(difference);
        }
    }

    fn row(&mut self, table: &TableName, key: &[u8], expected: &Row, found: &Row) {
        let (table, key) = (table.clone(), key.to_vec());
        if expected.applied != found.applied {
            self.differs(Difference::Applied { table, key, expected: expected.applied, found: found.applied });
        } else if expected.state != found.state {
            let same = expected.state.iter().zip(&found.state).take_while(|(a, b)| a == b).count();
            self.differs(Difference::State { table, key, first_byte: same });
        } else {
            self.same += 1;
        }
    }
}

impl Refolded {
    /// Compares all rows and the progress of a view store with what was folded from scratch.
    ///
    /// The store must be at rest, folded to where this was folded to.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn compare(&self, views: &dyn ViewStore) -> Result<Comparison, ViewError> {
        let mut comparison = Comparison::default();
        for table in &self.tables {
            for (&partition, &(_, expected)) in &self.folded_to {
                let found = views.progress(table, partition).await?.map(|progress| progress.next_offset);
                if found != Some(expected) {
                    comparison.differs(Difference::Progress { table: table.clone(), partition, expected, found });
                }
            }
            compare_table(self, views, table, &mut comparison).await?;
        }
        Ok(comparison)
    }
}

async fn compare_table(
    refolded: &Refolded,
    views: &dyn ViewStore,
    table: &TableName,
    comparison: &mut Comparison,
) -> Result<(), ViewError> {
    let mut missing: BTreeMap<&[u8], &Row> = refolded
        .rows
        .range((table.clone(), Vec::new())..)
        .take_while(|((of, _), _)| of == table)
        .map(|((_, key), row)| (key.as_slice(), row))
        .collect();
    let mut after = None;
    loop {
        let rows = views.scan(table, after.take(), SCAN_ROWS).await?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        for (key, found) in rows {
            match missing.remove(key.as_slice()) {
                Some(expected) => comparison.row(table, &key, expected, &found),
                None => comparison.differs(Difference::Unexpected { table: table.clone(), key }),
            }
        }
    }
    for key in missing.into_keys() {
        comparison.differs(Difference::Missing { table: table.clone(), key: key.to_vec() });
    }
    Ok(())
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { table, key } => write!(f, "{} has no row {}", table.0, key.escape_ascii()),
            Self::Unexpected { table, key } => {
                write!(f, "{} has a row {} that the journal does not make", table.0, key.escape_ascii())
            }
            Self::Applied { table, key, expected, found } => {
                write!(f, "{} row {} is of {found}, folded it is of {expected}", table.0, key.escape_ascii())
            }
            Self::State { table, key, first_byte } => {
                write!(f, "{} row {} differs from byte {first_byte} on", table.0, key.escape_ascii())
            }
            Self::Progress { table, partition, expected, found: Some(found) } => {
                write!(f, "{} partition {partition} is folded to {found}, the journal to {expected}", table.0)
            }
            Self::Progress { table, partition, found: None, .. } => {
                write!(f, "{} partition {partition} was never folded", table.0)
            }
        }
    }
}
