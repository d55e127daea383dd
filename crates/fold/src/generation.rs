//! What a generation of the views is made with, and the tables it lives in.

mod regimes;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::regimes::{DayPart, RegimeRule, default_regimes, rule_of};
use crate::book::{BookRules, FeatureSet};

/// Newest version of the fold of admissions. A fold whose bytes change gets a new version; earlier ones stay.
pub const NEWEST_ADMISSION_FOLD: u32 = 1;
/// Newest version of the fold of books.
pub const NEWEST_BOOK_FOLD: u32 = 2;
/// A version of the fold of books that is the first but for a mistake: it counts losses as wins. Tests alone have it.
#[cfg(feature = "mistaken-fold")]
pub const MISTAKEN_BOOK_FOLD: u32 = 1_000;
/// Newest version of the fold of activities.
pub const NEWEST_ACTIVITY_FOLD: u32 = 1;

/// Bytes of a fingerprint, two hex digits each.
const FINGERPRINT_BYTES: usize = 8;

/// Parameters of the admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionParams {
    /// How many of a user's latest event ids are remembered.
    pub window_ids: u32,
}

/// Parameters of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookParams {
    /// How many of the latest closed trades are kept.
    pub ring_trades: u32,
    /// How many signals may wait for their trade.
    pub waiting_signals: u32,
    /// Since version 2: what is kept of a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureSet>,
    /// Since version 2: how regimes are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regimes: Option<Vec<RegimeRule>>,
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
        Self { ring_trades: 256, waiting_signals: 64, features: None, regimes: None }
    }
}

macro_rules! generation {
    ($(#[$doc:meta])* $name:ident, $params:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FoldParams {
    /// Of the admission.
    pub admission: AdmissionParams,
    /// Of the books.
    pub book: BookRules,
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
    /// A parameter that the fold version does not have, or does not go without.
    #[error("{parameter} of the projection book {detail}")]
    OfVersion {
        /// The parameter.
        parameter: &'static str,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// Regimes that can't be told apart.
    #[error("regimes of the projection book: rule {place} {detail}")]
    Regimes {
        /// Place of the rule, from 0.
        place: usize,
        /// What is wrong with it.
        detail: String,
    },
}

impl BookGeneration {
    /// Adds what the fold version needs and a plan left out: what a new generation of that version begins with. All of
    /// it is written out, so that later versions may begin with something else.
    pub fn complete(&mut self) {
        if self.fold_version == 2 {
            self.params.features.get_or_insert(FeatureSet::ALL);
            self.params.regimes.get_or_insert_with(default_regimes);
        }
    }

    fn rules(&self) -> Result<BookRules, UnknownFold> {
        let BookParams { ring_trades, waiting_signals, features, regimes } = &self.params;
        #[cfg(feature = "mistaken-fold")]
        if self.fold_version == MISTAKEN_BOOK_FOLD {
            return Ok(BookRules { is_mistaken: true, ..BookRules::first(*ring_trades, *waiting_signals) });
        }
        check_version("book", self.fold_version, NEWEST_BOOK_FOLD)?;
        check_parameter("book", "ring_trades", *ring_trades, 1 << 16)?;
        check_parameter("book", "waiting_signals", *waiting_signals, 1 << 12)?;
        let first = BookRules::first(*ring_trades, *waiting_signals);
        if self.fold_version == 1 {
            for (parameter, is_there) in [("features", features.is_some()), ("regimes", regimes.is_some())] {
                if is_there {
                    return Err(UnknownFold::OfVersion {
                        parameter,
                        detail: "is a parameter of fold 2; leave it out, or say null",
                    });
                }
            }
            return Ok(first);
        }
        let missing = |parameter| UnknownFold::OfVersion { parameter, detail: "is missing; fold 2 needs it" };
        let features = features.ok_or_else(|| missing("features"))?;
        let regimes = regimes::compiled(regimes.as_deref().ok_or_else(|| missing("regimes"))?)?;
        Ok(BookRules { features, regimes: Some(Arc::new(regimes)), ..first })
    }
}

impl GenerationSet {
    /// Checks that this version can fold the set.
    ///
    /// # Errors
    /// When it asks for a fold version or a parameter that this version does not have.
    pub fn fold_params(&self) -> Result<FoldParams, UnknownFold> {
        let Self { admission, book, activity } = self;
        check_version("admission", admission.fold_version, NEWEST_ADMISSION_FOLD)?;
        check_version("activity", activity.fold_version, NEWEST_ACTIVITY_FOLD)?;
        check_parameter("admission", "window_ids", admission.params.window_ids, 1 << 20)?;
        Ok(FoldParams { admission: admission.params, book: book.rules()?, activity: activity.params })
    }

    /// Fingerprint of the admission, 16 hex digits.
    #[must_use]
    pub fn admission_fingerprint(&self) -> String {
        self.admission.fingerprint()
    }

    /// Fingerprint of the books, 16 hex digits: what decisions name.
    #[must_use]
    pub fn book_fingerprint(&self) -> String {
        let BookParams { ring_trades, waiting_signals, features, regimes } = &self.book.params;
        // Nothing for what version 1 does not have.
        let features = features.as_ref().map(|features| format!(r#""features":{},"#, json(features)));
        let regimes = regimes.as_ref().map(|regimes| format!(r#""regimes":{},"#, json(regimes)));
        let (features, regimes) = (features.unwrap_or_default(), regimes.unwrap_or_default());
        digest(&format!(
            r#"{{"admission":"{}","fold_version":{},"params":{{{features}{regimes}"ring_trades":{ring_trades},"waiting_signals":{waiting_signals}}},"projection":"book"}}"#,
            self.admission_fingerprint(),
            self.book.fold_version,
        ))
    }

    /// Fingerprint of the activities, 16 hex digits.
    #[must_use]
    pub fn activity_fingerprint(&self) -> String {
        let ActivityParams {} = self.activity.params;
        digest(&format!(
            r#"{{"admission":"{}","fold_version":{},"params":{{}},"projection":"activity"}}"#,
            self.admission_fingerprint(),
            self.activity.fold_version,
        ))
    }

    /// Fingerprint of the set, 16 hex digits: what its tables are named by.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        digest(&format!(r#"{{"activity":"{}","book":"{}"}}"#, self.activity_fingerprint(), self.book_fingerprint(),))
    }

    /// Name of the table of the admissions. Every set has tables of its own, also for a projection that it shares with
    /// another set: a set that is being built is behind the one that is read.
    #[must_use]
    pub fn admission_table(&self) -> String {
        format!("admission-{}", self.fingerprint())
    }

    /// Name of the table of the books.
    #[must_use]
    pub fn book_table(&self) -> String {
        format!("book-{}", self.fingerprint())
    }

    /// Name of the table of the activities.
    #[must_use]
    pub fn activity_table(&self) -> String {
        format!("activity-{}", self.fingerprint())
    }
}

impl AdmissionGeneration {
    /// Fingerprint, 16 hex digits. Those of books and activities depend on it and so need the whole set.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let AdmissionParams { window_ids } = self.params;
        digest(&format!(
            r#"{{"fold_version":{},"params":{{"window_ids":{window_ids}}},"projection":"admission"}}"#,
            self.fold_version
        ))
    }
}

/// The first 16 hex digits of the SHA-256 of a canonical JSON text: keys sorted, no white space.
fn digest(canonical_json: &str) -> String {
    let digest = Sha256::digest(canonical_json.as_bytes());
    let mut hex = String::with_capacity(FINGERPRINT_BYTES * 2);
    for byte in digest.iter().take(FINGERPRINT_BYTES) {
        hex.extend(char::from_digit(u32::from(byte >> 4), 16));
        hex.extend(char::from_digit(u32::from(byte & 15), 16));
    }
    hex
}

/// Canonical JSON of what has its fields in order.
fn json(value: &impl Serialize) -> String {
    // Of texts and numbers, which can always be written.
    serde_json::to_string(value).unwrap_or_default()
}

fn check_version(projection: &'static str, fold_version: u32, newest: u32) -> Result<(), UnknownFold> {
    if (1..=newest).contains(&fold_version) {
        Ok(())
    } else {
        Err(UnknownFold::Version { projection, fold_version, newest })
    }
}

fn check_parameter(
    projection: &'static str,
    parameter: &'static str,
    value: u32,
    most: u32,
) -> Result<(), UnknownFold> {
    if (1..=most).contains(&value) {
        Ok(())
    } else {
        Err(UnknownFold::Parameter { projection, parameter, value, least: 1, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_never_change() {
        let set = GenerationSet::default();
        assert_eq!(set.admission_fingerprint(), "ad015acb408de0dc");
        assert_eq!(set.book_fingerprint(), "3c3b5e6d180b7c42");
        assert_eq!(set.activity_fingerprint(), "76c393ed27827427");
        assert_eq!(set.fingerprint(), "834f177419175dc8");
        assert_eq!(set.admission_table(), "admission-834f177419175dc8");
        assert_eq!(set.book_table(), "book-834f177419175dc8");
        assert_eq!(second().book_fingerprint(), "5a8363e4683f489a");
        assert_eq!(second().fingerprint(), "1d956cdfba9aef55");
        assert_eq!(set.activity_table(), "activity-834f177419175dc8");
    }

    fn second() -> GenerationSet {
        let mut set = GenerationSet::default();
        set.book.fold_version = 2;
        set.book.complete();
        set
    }

    #[test]
    fn parameters_go_with_their_version() {
        let rules = second().fold_params().unwrap().book;
        assert_eq!(rules.features, FeatureSet::ALL);
        assert!(rules.regimes.is_some());
        let refused = |change: &dyn Fn(&mut BookGeneration)| {
            let mut set = second();
            change(&mut set.book);
            set.fold_params().unwrap_err().to_string()
        };
        assert_eq!(
            refused(&|book| book.params.features = None),
            "features of the projection book is missing; fold 2 needs it"
        );
        assert_eq!(
            refused(&|book| book.params.regimes = None),
            "regimes of the projection book is missing; fold 2 needs it"
        );
        assert_eq!(
            refused(&|book| book.fold_version = 1),
            "features of the projection book is a parameter of fold 2; leave it out, or say null"
        );
        assert!(refused(&|book| book.params.regimes = Some(Vec::new())).contains("rule 0 is missing"));
        // What a plan says is not overwritten.
        let mut book = second().book;
        book.params.features = Some(FeatureSet::FIRST);
        book.complete();
        assert_eq!(book.params.features, Some(FeatureSet::FIRST));
        let mut first = BookGeneration::default();
        first.complete();
        assert_eq!(first, BookGeneration::default());
    }

    #[test]
    fn every_parameter_and_version_has_tables_of_its_own() {
        let set = GenerationSet::default();
        let mut wider = set.clone();
        wider.admission.params.window_ids = 2_048;
        assert_ne!(wider.admission_table(), set.admission_table());
        assert_ne!(wider.book_table(), set.book_table(), "what is fresh decides what a book holds");
        assert_ne!(wider.activity_table(), set.activity_table());
        for change in [
            |set: &mut GenerationSet| set.book.params.features = Some(FeatureSet::FIRST),
            |set: &mut GenerationSet| set.book.params.regimes = Some(default_regimes()),
            |set: &mut GenerationSet| set.book.params.ring_trades = 128,
            |set: &mut GenerationSet| set.book.params.waiting_signals = 32,
            |set: &mut GenerationSet| set.book.fold_version = 2,
        ] {
            let mut other = set.clone();
            change(&mut other);
            assert_ne!(other.book_fingerprint(), set.book_fingerprint());
            assert_eq!(other.activity_fingerprint(), set.activity_fingerprint());
            assert_ne!(other.book_table(), set.book_table());
            assert_ne!(other.activity_table(), set.activity_table(), "tables are of one set alone");
            assert_ne!(other.admission_table(), set.admission_table());
        }
    }

    #[test]
    fn what_this_version_cannot_fold_is_refused() {
        let mut set = GenerationSet::default();
        assert_eq!(set.fold_params(), Ok(FoldParams::default()));
        set.book.params.ring_trades = 0;
        let error = set.fold_params().unwrap_err();
        assert_eq!(error.to_string(), "ring_trades of the projection book must lie between 1 and 65536, it is 0");
        set.book = BookGeneration { fold_version: 3, ..BookGeneration::default() };
        let error = set.fold_params().unwrap_err();
        assert_eq!(error.to_string(), "this version has no fold 3 of the projection book; it has 2 at most");
    }

    #[test]
    fn sets_are_kept_as_json() {
        let text = serde_json::to_string(&GenerationSet::default()).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"admission":{"fold_version":1,"params":{"window_ids":1024}},"#,
                r#""book":{"fold_version":1,"params":{"ring_trades":256,"waiting_signals":64}},"#,
                r#""activity":{"fold_version":1,"params":{}}}"#
            )
        );
        assert_eq!(serde_json::from_str::<GenerationSet>(&text).unwrap(), GenerationSet::default());
        assert!(serde_json::from_str::<GenerationSet>(&text.replace("ring", "rung")).is_err());
    }
}
