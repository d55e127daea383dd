//! What the admin API answers, as far as it is shown.

use hindcast_replay_tools::reproject::Verification;
use serde::Deserialize;

/// All sets of generations.
#[derive(Debug, Deserialize)]
pub(super) struct Reprojections {
    pub(super) active: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) reprojections: Vec<Reprojection>,
}

/// A set of generations.
#[derive(Debug, Deserialize)]
pub(super) struct Reprojection {
    pub(super) name: String,
    pub(super) stage: String,
    pub(super) tables: Vec<String>,
    pub(super) partitions: Vec<FoldedPartition>,
    pub(super) lag_events: u64,
    pub(super) eta_seconds: Option<f64>,
    pub(super) size: Option<Size>,
    pub(super) verification: Option<Summary>,
    pub(super) steps: Vec<Step>,
}

/// Rows of a set and what they take.
#[derive(Debug, Deserialize)]
pub(super) struct Size {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) is_exact: bool,
}

/// How far a partition is folded.
#[derive(Debug, Deserialize)]
pub(super) struct FoldedPartition {
    pub(super) next_offset: u64,
    pub(super) journal_end: u64,
}

/// What the last comparison found.
#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) rows: u64,
    pub(super) different: u64,
    pub(super) flipped: u64,
    pub(super) decisions: u64,
    pub(super) within_tolerance: bool,
}

/// A step of a set's life.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) at: String,
    pub(super) by: String,
    pub(super) why: String,
    pub(super) stage: String,
    pub(super) control_offset: u64,
}

/// What a plan would be and cost.
#[derive(Debug, Deserialize)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) planned: bool,
    pub(super) changes: Vec<String>,
    pub(super) tables: Vec<String>,
    pub(super) events: u64,
    pub(super) rows: u64,
    pub(super) rows_are_exact: bool,
    pub(super) bytes: u64,
    pub(super) estimated_seconds: f64,
}

/// A comparison under way or done.
#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    pub(super) state: String,
    pub(super) compared_rows: u64,
    pub(super) detail: Option<String>,
    pub(super) report: Option<Verification>,
}
