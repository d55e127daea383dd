//! What a generation of the views is made with, and the tables it lives in.

use serde::{Deserialize, Serialize};

/// Parameters of the admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionParams {
    /// How many of a user's latest event ids are remembered.
    pub window_ids: u32,
}

/// Parameters of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookParams {
    /// How many of the latest closed trades are kept.
    pub ring_trades: u32,
    /// How many signals may wait for their trade.
    pub waiting_signals: u32,
}

/// Parameters of the activities: none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityParams {}

impl Default for AdmissionParams {
    fn default() -> Self {
        Self { window_ids: 1_024 }
    }
}

impl Default for BookParams {
    fn default() -> Self {
        Self { ring_trades: 256, waiting_signals: 64 }
    }
}

macro_rules! generation {
    ($(#[$doc:meta])* $name:ident, $params:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Version of the fold's code.
            pub fold_version: u32,
            /// What it is run with.
            pub params: $params,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { fold_version: 1, params: $params::default() }
            }
        }
    };
}

generation!(
    /// One way to fold admissions.
    AdmissionGeneration,
    AdmissionParams
);
generation!(
    /// One way to fold books, given admissions.
    BookGeneration,
    BookParams
);
generation!(
    /// One way to fold activities, given admissions.
    ActivityGeneration,
    ActivityParams
);

/// One generation of each projection, folded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationSet {
    /// What is fresh.
    pub admission: AdmissionGeneration,
    /// What scoring reads.
    pub book: BookGeneration,
    /// Usage by day.
    pub activity: ActivityGeneration,
}

/// The parameters of all folds of a set, checked: what [`crate::pipeline::fold_record`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoldParams {
    /// Of the admission.
    pub admission: AdmissionParams,
    /// Of the books.
    pub book: BookParams,
    /// Of the activities.
    pub activity: ActivityParams,
}

/// Why a set of generations can't be folded by this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFold {
    /// It asks for a fold version that this build does not have.
    #[error("this version has no fold {fold_version} of the projection {projection}; it has {newest} at most")]
    Version {
        /// The projection.
        projection: &'static str,
        /// What is asked for.
        fold_version: u32,
        /// What there is.
        newest: u32,
    },
    /// A parameter is out of its bounds.
    #[error("{parameter} of the projection {projection} must lie between {least} and {most}, it is {value}")]
    Parameter {
        /// The projection.
        projection: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// What is asked for.
        value: u32,
        /// Least possible value.
        least: u32,
        /// Greatest possible value.
        most: u32,
    },
}

impl GenerationSet {
    /// Checks that this version can fold the set.
    ///
    /// # Errors
    /// When it asks for a fold version or a parameter that this version does not have.
    pub fn fold_params(&self) -> Result<FoldParams, UnknownFold> {
        todo!()
    }

    /// Fingerprint of the admission, 16 hex digits.
    #[must_use]
    pub fn admission_fingerprint(&self) -> String {
        todo!()
    }

    /// Fingerprint of the books, 16 hex digits: what decisions name.
    #[must_use]
    pub fn book_fingerprint(&self) -> String {
        todo!()
    }

    /// Fingerprint of the activities, 16 hex digits.
    #[must_use]
    pub fn activity_fingerprint(&self) -> String {
        todo!()
    }

    /// Name of the table of the admissions.
    #[must_use]
    pub fn admission_table(&self) -> String {
        format!("admission-{}", self.admission_fingerprint())
    }

    /// Name of the table of the books.
    #[must_use]
    pub fn book_table(&self) -> String {
        format!("book-{}", self.book_fingerprint())
    }

    /// Name of the table of the activities.
    #[must_use]
    pub fn activity_table(&self) -> String {
        format!("activity-{}", self.activity_fingerprint())
    }
}
