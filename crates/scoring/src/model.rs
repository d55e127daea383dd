//! Any model: what the services see.

use hindcast_domain::Features;
use hindcast_fold::book::Book;

use crate::kernel::{Kernel, PreparedKernel};

/// What a model says of a signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Probability that the trade wins, 0 to 1.
    pub confidence: f64,
    /// Lower end of the interval.
    pub interval_low: f64,
    /// Upper end of the interval.
    pub interval_high: f64,
    /// 0 for a signal like many before, 1 for one unlike any.
    pub novelty: f64,
    /// Closed trades the model looked at.
    pub experiences: u32,
}

/// A model that can be run.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// See [`crate::kernel`].
    Kernel(Kernel),
}

/// All that a model's answer depends on but the signal; cheap to keep beside a cached row.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// Of [`Model::Kernel`].
    Kernel(PreparedKernel),
}

impl Model {
    /// Does all that does not depend on the signal.
    #[must_use]
    pub fn prepare(&self, book: &Book, strategy: Option<&str>) -> Prepared {
        match self {
            Self::Kernel(kernel) => Prepared::Kernel(kernel.prepare(book, strategy)),
        }
    }

    /// The score of a signal. `prepared` is what this model prepared: it carries the parameters with it.
    #[must_use]
    pub fn score(&self, prepared: &Prepared, features: &Features) -> Score {
        match prepared {
            Prepared::Kernel(prepared) => prepared.score(features),
        }
    }
}
