//! What a verification found.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// Findings listed; all are counted.
const MAX_LISTED: usize = 100;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Records of the decisions topic.
    pub records: u64,
    /// Records of a decision that a later record of the same decision takes the place of.
    pub superseded: u64,
    /// Decisions that derived again, bit for bit.
    pub same: u64,
    /// Decisions that did not.
    pub different: u64,
    /// The first of these.
    pub findings: Vec<Finding>,
}

/// A decision that did not derive again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Partition of its record.
    pub partition: u16,
    /// Offset of its record.
    pub offset: u64,
    /// The decision, as far as it could be read.
    pub decision_id: Option<Uuid>,
    /// What is wrong.
    pub cause: Cause,
}

/// Why a decision did not derive again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The record is no decision.
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// The record's key is not the decision's user.
    ForeignKey,
    /// Control ends before the offset that the decision names.
    BeyondControl {
        /// That offset.
        control_offset: u64,
    },
    /// Nothing was active that could score at the control offset that the decision names.
    NoSettings {
        /// That offset.
        control_offset: u64,
    },
    /// The settings at that offset were others than the decision names, or values came out differently.
    Values {
        /// Each field that differs.
        fields: Vec<Field>,
    },
    /// The journal folds into no row of the position that the decision names.
    NoSuchRow {
        /// That position, if it names one.
        applied: Option<String>,
    },
    /// There was a row by the position up to which the decision says there was none.
    RowWasThere {
        /// Position of the first record of that row.
        since: String,
    },
}

/// A field that came out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What is on record.
    pub recorded: String,
    /// What was derived.
    pub derived: String,
}

impl Report {
    /// Whether every decision derived again.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different == 0
    }

    /// Decisions looked at.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.same + self.different
    }

    pub(super) fn found(&mut self, finding: Finding) {
        self.different += 1;
        if self.findings.len() < MAX_LISTED {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decision at {}-{}", self.partition, self.offset)?;
        if let Some(id) = self.decision_id {
            write!(f, " ({id})")?;
        }
        write!(f, ": {}", self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { detail } => write!(f, "{detail}"),
            Self::ForeignKey => write!(f, "the record's key is not its user"),
            Self::BeyondControl { control_offset } => write!(f, "control does not reach to offset {control_offset}"),
            Self::NoSettings { control_offset } => {
                write!(f, "nothing could score at control offset {control_offset}")
            }
            Self::Values { fields } => {
                for (index, Field { name, recorded, derived }) in fields.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{name} is {recorded} on record, {derived} derived")?;
                }
                Ok(())
            }
            Self::NoSuchRow { applied: Some(applied) } => write!(f, "the journal folds into no row of {applied}"),
            Self::NoSuchRow { applied: None } => write!(f, "it was made on a row without a position"),
            Self::RowWasThere { since } => write!(f, "it was made without a row, but there was one since {since}"),
        }
    }
}
