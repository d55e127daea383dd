//! What the latest decisions would have been on another set of generations.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use bytes::Bytes;
use hindcast_domain::{Position, TimestampUs, decision_id};
use hindcast_facts::Journaled;
use hindcast_fold::{book::Book, generation::GenerationSet, pipeline::fold_record};
use hindcast_journal::{Log, RecordType, Topic};
use hindcast_schemas::{Action, Codec, DecisionMade};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    pass::{ReplayError, durable_ends, each_record, journaled},
    states::{UserStates, entry},
    verify_decisions::SettingsHistory,
};

/// Upper bounds of the bins of changes of confidence, the last one open.
const BINS: [f64; 6] = [0.001, 0.005, 0.01, 0.05, 0.1, f64::INFINITY];
/// The largest changes listed.
const MAX_LISTED: usize = 10;

/// What the latest decisions would have been.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// Decisions derived again.
    pub decisions: u64,
    /// Those with another confidence.
    pub changed: u64,
    /// Those that would have said TAKE instead of SKIP.
    pub skip_to_take: u64,
    /// Those that would have said SKIP instead of TAKE.
    pub take_to_skip: u64,
    /// Mean of the sizes of the changes.
    pub mean_absolute_change: f64,
    /// Smallest change, 5th, 25th, 50th, 75th and 95th percentile, largest change: new confidence less old.
    pub quantiles: [f64; 7],
    /// How many changes are of a size up to each bound: `[bound, count]`; the last one has no bound.
    pub sizes: Vec<(Option<f64>, u64)>,
    /// The largest changes.
    pub largest: Vec<Change>,
}

/// A decision that would have been another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The decision.
    pub decision_id: Uuid,
    /// Whose it was.
    pub user: String,
    /// What for.
    pub symbol: String,
    /// As it was served.
    pub old_confidence: f64,
    /// As it would have been.
    pub new_confidence: f64,
    /// As it was served.
    pub old_action: String,
    /// As it would have been.
    pub new_action: String,
}

/// A decision, ordered by when it was made. Still encoded: that is its smallest form.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Recorded {
    decided_at: TimestampUs,
    partition: u16,
    offset: u64,
    decision_id: Uuid,
    value: Bytes,
}

/// A decision with the last position that it knew; `None` for nothing.
type Based = (Option<(u8, u64)>, Bytes);

/// Derives the last `last` decisions again, with the model and the policy that each was made with, on what a set of
/// generations holds at the position that each was made at. Blocks on the log; holds these decisions, and the states of
/// the users of one partition that they belong to.
///
/// # Errors
/// When the log or a schema can't be read, or this version can't fold the set.
pub fn effect_on_answers(
    log: &dyn Log,
    codec: &Codec,
    set: &GenerationSet,
    last: usize,
) -> Result<Effect, ReplayError> {
    // Decisions first: whatever they were made on was durable before.
    let recorded = latest(log, codec, last)?;
    let ends = durable_ends(log, Topic::Journal);
    let settings = SettingsHistory::read(log)?;
    let params = set.fold_params()?;
    let mut changes = Vec::new();
    for (partition, end) in (0..).zip(ends) {
        let mut waiting = waiting(codec, recorded.iter().filter(|decision| decision.partition == partition))?;
        if waiting.is_empty() {
            continue;
        }
        let mut users: BTreeMap<Box<str>, UserStates> = BTreeMap::new();
        let mut derive = |states: &UserStates, value: &Bytes| {
            if let Some(change) = derived(codec, &settings, states, value) {
                changes.push(change);
            }
        };
        each_record(log, Topic::Journal, partition, end, |record| {
            if let Journaled::Fact { user, input } = journaled(codec, record)?
                && let Some(decisions) = waiting.get_mut(user)
            {
                let states: &mut UserStates = entry(&mut users, user);
                // What knew nothing of this record is derived before it is folded.
                let order = Some(record.position.order());
                while let Some((_, value)) = decisions.pop_if(|(basis, _)| *basis < order) {
                    derive(states, &value);
                }
                fold_record(states, &params, user, &input, record.position);
            }
            Ok(())
        })?;
        for (user, decisions) in &waiting {
            let states: &mut UserStates = entry(&mut users, user);
            decisions.iter().rev().for_each(|(_, value)| derive(states, value));
        }
    }
    Ok(Effect::of(changes))
}

/// The last decisions of all partitions. Of one that was recorded again, a retry, the last record is the decision.
fn latest(log: &dyn Log, codec: &Codec, last: usize) -> Result<Vec<Recorded>, ReplayError> {
    let mut latest: BinaryHeap<Reverse<Recorded>> = BinaryHeap::new();
    let mut last_offsets: BTreeMap<Uuid, u64> = BTreeMap::new();
    for (partition, end) in (0..).zip(durable_ends(log, Topic::Decisions)) {
        each_record(log, Topic::Decisions, partition, end, |record| {
            if record.record_type == RecordType::Genesis {
                return Ok(());
            }
            let offset = record.offset;
            let (decided_at, decision_id) = match codec.decode_decision(&record.value) {
                Ok(decision) => (decision.decided_at, decision.decision_id),
                Err(source) if source.is_retryable() => {
                    return Err(ReplayError::Schema { topic: Topic::Decisions, partition, offset, source });
                }
                // An audit tells of it.
                Err(_) => return Ok(()),
            };
            let is_late = latest.peek().is_none_or(|Reverse(oldest)| oldest.decided_at < decided_at);
            if last_offsets.len() < last || is_late || last_offsets.contains_key(&decision_id) {
                // Copied out of the batch that it was read with.
                let value = Bytes::copy_from_slice(&record.value);
                // All records of a decision are in the partition of its user, so one id is one offset after the other.
                last_offsets.insert(decision_id, offset);
                latest.push(Reverse(Recorded { decided_at, partition, offset, decision_id, value }));
                if latest.len() > last.saturating_mul(2) {
                    latest.retain(|Reverse(other)| last_offsets.get(&other.decision_id) == Some(&other.offset));
                }
                while last_offsets.len() > last
                    && let Some(Reverse(oldest)) = latest.pop()
                {
                    if last_offsets.get(&oldest.decision_id) == Some(&oldest.offset) {
                        last_offsets.remove(&oldest.decision_id);
                    }
                }
            }
            Ok(())
        })?;
    }
    let recorded = latest.into_iter().map(|Reverse(recorded)| recorded);
    Ok(recorded.filter(|recorded| last_offsets.get(&recorded.decision_id) == Some(&recorded.offset)).collect())
}

/// By user, the one that was made on the earliest position last.
fn waiting<'a>(
    codec: &Codec,
    recorded: impl Iterator<Item = &'a Recorded>,
) -> Result<BTreeMap<Box<str>, Vec<Based>>, ReplayError> {
    let mut waiting: BTreeMap<Box<str>, Vec<Based>> = BTreeMap::new();
    for Recorded { partition, offset, value, .. } in recorded {
        let made = codec.decode_decision(value).map_err(|source| ReplayError::Schema {
            topic: Topic::Decisions,
            partition: *partition,
            offset: *offset,
            source,
        })?;
        let basis = made.applied.map(Position::order);
        entry(&mut waiting, &made.signal.user_id).push((basis, value.clone()));
    }
    waiting.values_mut().for_each(|decisions| decisions.sort_by_key(|(basis, _)| Reverse(*basis)));
    Ok(waiting)
}

/// `None` when the settings it was made with are not on record.
fn derived(codec: &Codec, settings: &SettingsHistory, states: &UserStates, value: &Bytes) -> Option<Change> {
    let made: DecisionMade<'_> = codec.decode_decision(value).ok()?;
    let scoring = settings.at(made.control_offset)?.scoring.as_ref()?;
    let nothing = Book::default();
    let book = states.books.get(made.signal.symbol.as_ref()).unwrap_or(&nothing);
    let prepared = scoring.model.prepare(book, made.signal.strategy.as_deref());
    let score = scoring.model.score(&prepared, &made.signal.model_features());
    let id = decision_id(&made.signal.user_id, made.signal.event_id);
    let choice = scoring.policy.decide(score.confidence, id);
    Some(Change {
        decision_id: made.decision_id,
        user: made.signal.user_id.to_string(),
        symbol: made.signal.symbol.to_string(),
        old_confidence: made.confidence,
        new_confidence: score.confidence,
        old_action: action(made.action),
        new_action: action(choice.action),
    })
}

fn action(action: Action) -> String {
    match action {
        Action::Take => "TAKE".to_owned(),
        Action::Skip => "SKIP".to_owned(),
    }
}

impl Change {
    fn size(&self) -> f64 {
        (self.new_confidence - self.old_confidence).abs()
    }
}

impl Effect {
    /// Share of the decisions with another action; 0 without decisions.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    pub fn flipped_share(&self) -> f64 {
        if self.decisions == 0 { 0.0 } else { self.flipped() as f64 / self.decisions as f64 }
    }

    /// Decisions with another action.
    #[must_use]
    pub fn flipped(&self) -> u64 {
        self.skip_to_take + self.take_to_skip
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^53
    fn of(mut changes: Vec<Change>) -> Self {
        let count = |is: &dyn Fn(&Change) -> bool| changes.iter().filter(|change| is(change)).count() as u64;
        let mut effect = Self {
            decisions: changes.len() as u64,
            changed: count(&|change| change.old_confidence.to_bits() != change.new_confidence.to_bits()),
            skip_to_take: count(&|change| change.old_action == "SKIP" && change.new_action == "TAKE"),
            take_to_skip: count(&|change| change.old_action == "TAKE" && change.new_action == "SKIP"),
            ..Self::default()
        };
        let mut below = 0.0;
        for bound in BINS {
            let within = count(&|change| (below..bound).contains(&change.size()));
            effect.sizes.push((bound.is_finite().then_some(bound), within));
            below = bound;
        }
        let mut differences: Vec<f64> =
            changes.iter().map(|change| change.new_confidence - change.old_confidence).collect();
        differences.sort_by(f64::total_cmp);
        if !differences.is_empty() {
            effect.mean_absolute_change = changes.iter().map(Change::size).sum::<f64>() / changes.len() as f64;
            let quantile = |percent: usize| {
                let rank = (differences.len() - 1) * percent / 100;
                differences.get(rank).copied().unwrap_or_default()
            };
            effect.quantiles = [0, 5, 25, 50, 75, 95, 100].map(quantile);
        }
        changes.retain(|change| change.size() > 0.0);
        changes.sort_by(|one, other| {
            other.size().total_cmp(&one.size()).then_with(|| one.decision_id.cmp(&other.decision_id))
        });
        changes.truncate(MAX_LISTED);
        effect.largest = changes;
        effect
    }
}
