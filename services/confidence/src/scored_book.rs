//! A book as it is cached for scoring: decoded once, prepared once for each model and strategy that asks.

use std::sync::{Arc, Mutex, PoisonError};

use hindcast_control::ActiveScoring;
use hindcast_domain::Features;
use hindcast_fold::book::Book;
use hindcast_reader::FromRow;
use hindcast_scoring::{Prepared, Score};

/// A book and what models made of it.
#[derive(Debug, Default)]
pub struct ScoredBook {
    /// The book.
    pub book: Book,
    prepared: Mutex<Vec<Preparation>>,
}

#[derive(Debug)]
struct Preparation {
    /// Held so that the address can't be given to another model while this is kept.
    scoring: Arc<ActiveScoring>,
    strategy: Option<Box<str>>,
    prepared: Arc<Prepared>,
}

/// What a preparation holds of a trade at most: a value and its presence in each of seven columns, and whether it won.
const PREPARED_BYTES_PER_TRADE: usize = 128;
/// Preparations kept of one book; more strategies than this are prepared anew each time.
const MAX_PREPARED: usize = 8;

impl ScoredBook {
    /// Scores a signal with the active model.
    #[must_use]
    pub fn score(&self, scoring: &Arc<ActiveScoring>, strategy: Option<&str>, features: &Features) -> Score {
        scoring.model.score(&self.prepared_for(scoring, strategy), features)
    }

    fn prepared_for(&self, scoring: &Arc<ActiveScoring>, strategy: Option<&str>) -> Arc<Prepared> {
        let mut kept = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |p: &&Preparation| Arc::ptr_eq(&p.scoring, scoring) && p.strategy.as_deref() == strategy;
        if let Some(found) = kept.iter().find(same) {
            return Arc::clone(&found.prepared);
        }
        let prepared = Arc::new(scoring.model.prepare(&self.book, strategy));
        if kept.len() == MAX_PREPARED {
            kept.remove(0);
        }
        kept.push(Preparation {
            scoring: Arc::clone(scoring),
            strategy: strategy.map(Into::into),
            prepared: Arc::clone(&prepared),
        });
        prepared
    }
}

impl FromRow for ScoredBook {
    fn from_row(bytes: &[u8]) -> Result<Self, String> {
        let book = Book::decode(bytes).map_err(|error| error.to_string())?;
        Ok(Self { book, prepared: Mutex::default() })
    }

    fn memory_bytes(&self) -> usize {
        // Most books are scored for one strategy.
        self.book.memory_bytes() + self.book.ring.len() * PREPARED_BYTES_PER_TRADE
    }
}
