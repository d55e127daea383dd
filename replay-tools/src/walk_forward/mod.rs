//! What confidence would have been worth: every signal of a recorded history is scored on what came before it, never
//! on itself, and compared with its outcome.
//!
//! A row of the history becomes the events that a bot would have sent, these go through the real fold into a book, and
//! the real model scores the next signal on it: the same path as served confidences take. The history that is scored
//! on grows in steps, so that a score never profits from outcomes of the same step. The judge is the base rate: the
//! win rate of that same history.

mod bootstrap;
mod experience;
mod history;
mod judgement;

use hindcast_fold::generation::{GenerationSet, UnknownFold};
use hindcast_scoring::{InvalidSetting, PublishedModel};
use serde::Serialize;

pub use self::{
    experience::{Experience, UnusableRow, first_occurrences, read_experiences},
    judgement::{Bin, Judgement},
};
use self::{history::History, judgement::Foretold};

/// How a walk is made.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkForward {
    /// What the books are folded with.
    pub generations: GenerationSet,
    /// What scores.
    pub model: PublishedModel,
    /// Signals of the history before the first is scored.
    pub start: usize,
    /// The history grows by this many signals at a time.
    pub step: usize,
    /// Signals of a block of the bootstrap.
    pub block: usize,
    /// How often the bootstrap draws anew.
    pub resamples: u32,
    /// Seeds the bootstrap.
    pub seed: u64,
}

impl Default for WalkForward {
    fn default() -> Self {
        Self {
            generations: GenerationSet::default(),
            model: PublishedModel::default_kernel(),
            start: 100,
            step: 50,
            block: 20,
            resamples: 10_000,
            seed: 1,
        }
    }
}

/// What a walk found: the figures without twins at the top, those with twins beside them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Over first occurrences only: a twin would let a model remember instead of learn.
    #[serde(flatten)]
    pub first_occurrences: Judgement,
    /// Over all rows.
    pub with_twins: Judgement,
}

/// Why there is no judgement.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoJudgement {
    /// The history is too short.
    #[error("{rows} signals are too few: the first {start} are only learned from")]
    TooShort {
        /// Signals there are.
        rows: usize,
        /// Signals before the first is scored.
        start: usize,
    },
    /// A step or a block of none, or no resamples.
    #[error("step, block and resamples must each be 1 at least")]
    Nothing,
    /// The model can't be run.
    #[error("the model can't be run: {0}")]
    Model(#[from] InvalidSetting),
    /// The generations can't be folded.
    #[error(transparent)]
    Fold(#[from] UnknownFold),
    /// The fold has no use for an event made from a row.
    #[error("row {row} was not taken by the fold: {verdict}")]
    Refused {
        /// The row, from 1.
        row: usize,
        /// What the fold said.
        verdict: String,
    },
}

/// Judges a history, without twins and with them.
///
/// # Errors
/// When the history is too short or can't be folded, or the model can't be run.
pub fn walk_forward(walk: &WalkForward, rows: &[Experience]) -> Result<Report, NoJudgement> {
    let unique = first_occurrences(rows);
    Ok(Report { first_occurrences: judge(walk, &unique)?, with_twins: judge(walk, rows)? })
}

/// Judges a history as it is.
///
/// # Errors
/// As [`walk_forward`].
pub fn judge(walk: &WalkForward, rows: &[Experience]) -> Result<Judgement, NoJudgement> {
    if walk.step == 0 || walk.block == 0 || walk.resamples == 0 {
        return Err(NoJudgement::Nothing);
    }
    let Some((known, unknown)) = rows.split_at_checked(walk.start).filter(|(_, unknown)| !unknown.is_empty()) else {
        return Err(NoJudgement::TooShort { rows: rows.len(), start: walk.start });
    };
    let model = walk.model.runnable()?;
    let mut history = History::new(&walk.generations)?;
    for row in known {
        history.learn(row)?;
    }
    let mut foretold = Vec::with_capacity(unknown.len());
    for step in unknown.chunks(walk.step) {
        foretold.extend(step.iter().map(|row| {
            let (score, base_rate) = history.score(&model, row);
            Foretold { confidence: score.confidence, base_rate, won: row.won() }
        }));
        for row in step {
            history.learn(row)?;
        }
    }
    Ok(Judgement::of(&foretold, walk))
}
