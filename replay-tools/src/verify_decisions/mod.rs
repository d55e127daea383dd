//! Every recorded decision, derived again: from the journal prefix that its row was folded from, from the settings at
//! its control offset, and from its signal. Not a bit may differ.
//!
//! One pass over each partition's decisions, and one over its journal for each generation that they name. What is held
//! are the decisions of one partition and the states of the users they belong to.

mod derive;
mod finding;
mod recorded;
mod settings;
mod waiting;

use hindcast_facts::Journaled;
use hindcast_fold::pipeline::fold_record;
use hindcast_journal::{Log, Topic};
use hindcast_schemas::Codec;

pub use self::finding::{Cause, Finding, Report};
pub(crate) use self::settings::SettingsHistory;
use self::{recorded::Recorded, waiting::Waiting};
use crate::pass::{ReplayError, durable_ends, each_record, journaled};

/// Derives all decisions of a log again. Blocks on the log.
///
/// If one decision was recorded several times, the last record is the decision.
///
/// # Errors
/// When the log or a schema can't be read, or this version can't fold the generations that decisions name. That a
/// decision differs is no error but a finding.
pub fn verify_decisions(log: &dyn Log, codec: &Codec) -> Result<Report, ReplayError> {
    // Decisions first, journal and settings later: whatever a decision was made on was durable before it.
    let decision_ends = durable_ends(log, Topic::Decisions);
    let journal_ends = durable_ends(log, Topic::Journal);
    let settings = SettingsHistory::read(log)?;
    let mut report = Report::default();
    for ((partition, decisions_end), journal_end) in (0_u16..).zip(decision_ends).zip(journal_ends) {
        let recorded = Recorded::read(log, codec, partition, decisions_end, &mut report)?;
        for (generations, decisions) in recorded.by_generations(&settings, codec, &mut report)? {
            let params = generations.fold_params()?;
            let mut waiting = Waiting::new(decisions);
            each_record(log, Topic::Journal, partition, journal_end, |record| {
                if !waiting.wants(&record.key) {
                    return Ok(());
                }
                if let Journaled::Fact { user, input } = journaled(codec, record)?
                    && let Some(states) = waiting.states(user)
                {
                    fold_record(states, &params, user, &input, record.position);
                    if let Some(symbol) = input.symbol() {
                        waiting.folded(user, symbol, record.position, &settings, codec, &mut report);
                    }
                }
                Ok(())
            })?;
            waiting.finish(&settings, codec, &mut report);
        }
    }
    Ok(report)
}
