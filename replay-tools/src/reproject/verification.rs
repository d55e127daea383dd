//! Everything that a comparison found, and whether it is good enough.

use serde::{Deserialize, Serialize};

use super::{Effect, RowsOfProjection, Verdicts};

/// What may differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tolerance {
    /// Rows that may differ or be in one table only.
    pub different_rows: u64,
    /// Rows that may never have been of the same position.
    pub unsettled_rows: u64,
    /// Share of the decisions that may have another action, 0 to 1.
    pub flipped_share: f64,
}

/// Everything that a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The set that is read, by name.
    pub old: String,
    /// The set that was compared with it.
    pub new: String,
    /// Offset of the next journal record by partition: up to here the new set was folded when the comparison began.
    pub next_offsets: Vec<u64>,
    /// Rows, by projection.
    pub rows: Vec<RowsOfProjection>,
    /// Answers.
    pub effect: Effect,
    /// Records that one set uses and the other does not.
    pub verdicts: Verdicts,
    /// What may differ.
    pub tolerance: Tolerance,
    /// Whether what differs lies within that.
    pub within_tolerance: bool,
}

impl Default for Tolerance {
    /// No row may differ; answers may.
    fn default() -> Self {
        Self { different_rows: 0, unsettled_rows: 0, flipped_share: 1.0 }
    }
}

impl Verification {
    /// Judges what was found.
    #[must_use]
    pub fn judged(mut self) -> Self {
        let Tolerance { different_rows, unsettled_rows, flipped_share } = self.tolerance;
        self.within_tolerance = self.different_rows() <= different_rows
            && self.unsettled_rows() <= unsettled_rows
            && self.effect.flipped_share() <= flipped_share;
        self
    }

    /// Rows compared.
    #[must_use]
    pub fn compared_rows(&self) -> u64 {
        self.rows.iter().map(|rows| rows.compared).sum()
    }

    /// Rows that differ or are in one table only.
    #[must_use]
    pub fn different_rows(&self) -> u64 {
        self.rows.iter().map(|rows| rows.different + rows.only_old + rows.only_new).sum()
    }

    /// Rows that never were of the same position.
    #[must_use]
    pub fn unsettled_rows(&self) -> u64 {
        self.rows.iter().map(|rows| rows.unsettled).sum()
    }
}
