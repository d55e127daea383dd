//! One decision, derived again.

use std::fmt::Debug;

use hindcast_control::ActiveScoring;
use hindcast_domain::decision_id;
use hindcast_fold::book::Book;
use hindcast_schemas::{Codec, DecisionMade};

use super::{
    finding::{Cause, Field, Report},
    recorded::Decision,
    settings::{Active, SettingsHistory},
};

/// Derives a decision on the book it was made on and notes whether it came out the same.
pub(super) fn derive(decision: &Decision, book: &Book, settings: &SettingsHistory, codec: &Codec, report: &mut Report) {
    let made = match codec.decode_decision(&decision.value) {
        Ok(made) => made,
        Err(error) => return report.found(decision.finding(Cause::Unreadable { detail: error.to_string() })),
    };
    let control_offset = made.control_offset;
    let Some(active) = settings.at(control_offset) else {
        return report.found(decision.finding(Cause::BeyondControl { control_offset }));
    };
    let Some(scoring) = &active.scoring else {
        return report.found(decision.finding(Cause::NoSettings { control_offset }));
    };
    let fields = different_fields(&made, book, active, scoring);
    if fields.is_empty() {
        report.same += 1;
    } else {
        report.found(decision.finding(Cause::Values { fields }));
    }
}

fn different_fields(made: &DecisionMade<'_>, book: &Book, active: &Active, scoring: &ActiveScoring) -> Vec<Field> {
    let id = decision_id(&made.signal.user_id, made.signal.event_id);
    let prepared = scoring.model.prepare(book, made.signal.strategy.as_deref());
    let score = scoring.model.score(&prepared, &made.signal.model_features());
    let choice = scoring.policy.decide(score.confidence, id);
    let (model, policy) = (&scoring.published_model, &scoring.published_policy);
    let mut fields = Vec::new();
    let mut text = |name, recorded: &dyn Debug, derived: &dyn Debug| {
        let (recorded, derived) = (format!("{recorded:?}"), format!("{derived:?}"));
        if recorded != derived {
            fields.push(Field { name, recorded, derived });
        }
    };
    text("decision_id", &made.decision_id, &id);
    text(
        "generation",
        &Some(made.generation.as_ref()),
        &active.generations.as_ref().map(|active| active.book_fingerprint.as_str()),
    );
    text(
        "model",
        &(&made.model.name, made.model.version, &made.model.digest),
        &(&model.name, model.version, &scoring.model_digest),
    );
    text(
        "policy",
        &(&made.policy.name, made.policy.version, &made.policy.digest),
        &(&policy.name, policy.version, &scoring.policy_digest),
    );
    // Control knows no experiments: a decision that names one was made by something newer.
    text("experiment", &made.experiment, &None::<&str>);
    text("arm", &made.arm, &None::<&str>);
    text("experiences", &made.experiences, &score.experiences);
    text("action", &made.action, &choice.action);
    for (name, recorded, derived) in [
        ("confidence", made.confidence, score.confidence),
        ("interval_low", made.interval_low, score.interval_low),
        ("interval_high", made.interval_high, score.interval_high),
        ("novelty", made.novelty, score.novelty),
        ("propensity", made.propensity, choice.propensity),
    ] {
        if recorded.to_bits() != derived.to_bits() {
            // Seventeen digits tell any two doubles apart.
            let (recorded, derived) = (format!("{recorded:.17}"), format!("{derived:.17}"));
            fields.push(Field { name, recorded, derived });
        }
    }
    fields
}
