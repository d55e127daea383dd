//! From a signal, a row and the published settings to a decision: pure, so that every decision can be derived again.

use std::{borrow::Cow, sync::Arc};

use hindcast_control::ActiveScoring;
use hindcast_domain::{Position, TimestampUs, decision_id};
use hindcast_schemas::{DecisionMade, SettingRef, SignalReceived};

use crate::scored_book::ScoredBook;

/// What a decision is made on.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a, 'row> {
    /// The book; `None` when there is no row.
    pub book: Option<&'row ScoredBook>,
    /// Position of the row; for an absent row the partition's progress read before looking.
    pub applied: Option<Position>,
    /// Fingerprint of the book's generation.
    pub generation: &'a str,
    /// The model and the policy.
    pub scoring: &'a Arc<ActiveScoring>,
    /// Control offset of the settings.
    pub control_offset: u64,
}

/// Makes the decision on a signal.
#[must_use]
pub fn decide<'a>(basis: &Basis<'a, '_>, signal: SignalReceived<'a>, decided_at: TimestampUs) -> DecisionMade<'a> {
    let scoring = basis.scoring;
    let features = signal.model_features();
    let strategy = signal.strategy.as_deref();
    let score = match basis.book {
        Some(book) => book.score(scoring, strategy, &features),
        None => ScoredBook::default().score(scoring, strategy, &features),
    };
    let decision_id = decision_id(&signal.user_id, signal.event_id);
    let choice = scoring.policy.decide(score.confidence, decision_id);
    DecisionMade {
        decision_id,
        decided_at,
        signal,
        generation: Cow::Borrowed(basis.generation),
        row_found: basis.book.is_some(),
        applied: basis.applied,
        control_offset: basis.control_offset,
        model: SettingRef {
            name: Cow::Borrowed(&scoring.published_model.name),
            version: scoring.published_model.version,
            digest: Cow::Borrowed(&scoring.model_digest),
        },
        policy: SettingRef {
            name: Cow::Borrowed(&scoring.published_policy.name),
            version: scoring.published_policy.version,
            digest: Cow::Borrowed(&scoring.policy_digest),
        },
        experiment: None,
        arm: None,
        confidence: score.confidence,
        interval_low: score.interval_low,
        interval_high: score.interval_high,
        novelty: score.novelty,
        experiences: score.experiences,
        action: choice.action,
        propensity: choice.propensity,
    }
}
