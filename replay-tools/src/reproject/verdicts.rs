//! Records that one admission uses and another does not.

use std::collections::BTreeMap;

use hindcast_facts::Journaled;
use hindcast_fold::{
    admission::Verdict,
    generation::GenerationSet,
    pipeline::{Folded, fold_record},
};
use hindcast_journal::{Log, Topic};
use hindcast_schemas::Codec;
use serde::{Deserialize, Serialize};

use crate::{
    pass::{ReplayError, durable_ends, each_record, journaled},
    states::{UserStates, entry},
};

/// Records listed; all are counted.
const MAX_LISTED: usize = 100;

/// Records on which two admissions disagree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verdicts {
    /// Records looked at; none when both admissions are the same.
    pub records: u64,
    /// Records with another verdict.
    pub different: u64,
    /// The first of them, by partition.
    pub listed: Vec<OtherVerdict>,
}

/// A record with two verdicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherVerdict {
    /// Where it is, `EPOCH-PARTITION-OFFSET`.
    pub position: String,
    /// By the old set.
    pub old: String,
    /// By the new set.
    pub new: String,
}

/// Folds the whole journal with two sets and lists the records that only one of them uses. Two sets with the same
/// admission agree on all, and nothing is read. Blocks on the log; holds the states of one partition's users twice.
///
/// # Errors
/// When the log or a schema can't be read, or this version can't fold one of the sets.
pub fn other_verdicts(
    log: &dyn Log,
    codec: &Codec,
    old: &GenerationSet,
    new: &GenerationSet,
) -> Result<Verdicts, ReplayError> {
    let mut verdicts = Verdicts::default();
    if old.admission == new.admission {
        return Ok(verdicts);
    }
    let (old_params, new_params) = (old.fold_params()?, new.fold_params()?);
    for (partition, end) in (0..).zip(durable_ends(log, Topic::Journal)) {
        let mut users: BTreeMap<Box<str>, (UserStates, UserStates)> = BTreeMap::new();
        each_record(log, Topic::Journal, partition, end, |record| {
            verdicts.records += 1;
            if let Journaled::Fact { user, input } = journaled(codec, record)? {
                let (old_states, new_states) = entry(&mut users, user);
                let by_old = fold_record(old_states, &old_params, user, &input, record.position);
                let by_new = fold_record(new_states, &new_params, user, &input, record.position);
                let (by_old, by_new) = (named(by_old), named(by_new));
                if by_old != by_new {
                    verdicts.different += 1;
                    if verdicts.listed.len() < MAX_LISTED {
                        let position = record.position.to_string();
                        verdicts.listed.push(OtherVerdict { position, old: by_old, new: by_new });
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(verdicts)
}

fn named(folded: Folded) -> String {
    match folded {
        Folded::Skipped => "skipped".to_owned(),
        Folded::Applied(Verdict::Fresh) => "used".to_owned(),
        Folded::Applied(Verdict::Duplicate { conflicting: false, .. }) => "duplicate".to_owned(),
        Folded::Applied(Verdict::Duplicate { conflicting: true, .. }) => "conflicting duplicate".to_owned(),
        Folded::Applied(Verdict::Rejected(reason)) => format!("rejected: {}", reason.as_str()),
    }
}
