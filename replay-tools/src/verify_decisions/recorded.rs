//! The decisions of one partition, as they are on record.

use std::collections::BTreeMap;

use bytes::Bytes;
use hindcast_domain::Position;
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, RecordType, Topic};
use hindcast_schemas::{Codec, DecisionMade, DecodeError};
use uuid::Uuid;

use super::{
    finding::{Cause, Finding, Report},
    settings::SettingsHistory,
};
use crate::pass::{ReplayError, each_record};

/// A decision on record, still encoded: that is its smallest form.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) partition: u16,
    pub(super) offset: u64,
    pub(super) decision_id: Uuid,
    pub(super) value: Bytes,
}

/// What has to be derived on one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowAsked {
    pub(super) user: Box<str>,
    pub(super) symbol: Box<str>,
    /// Epoch and offset of the row's position, or of the partition's progress when there was no row.
    pub(super) applied: Option<(u8, u64)>,
    pub(super) row_found: bool,
}

/// The last record of every decision of a partition.
pub(super) struct Recorded {
    decisions: BTreeMap<Uuid, Decision>,
}

pub(super) type ByRow = BTreeMap<RowAsked, Vec<Decision>>;

impl Recorded {
    pub(super) fn read(
        log: &dyn Log,
        codec: &Codec,
        partition: u16,
        end: u64,
        report: &mut Report,
    ) -> Result<Self, ReplayError> {
        let mut decisions = BTreeMap::new();
        each_record(log, Topic::Decisions, partition, end, |record| {
            if record.record_type == RecordType::Genesis {
                return Ok(());
            }
            report.records += 1;
            let offset = record.offset;
            let mut found = |decision_id, cause| report.found(Finding { partition, offset, decision_id, cause });
            match codec.decode_decision(&record.value) {
                Ok(decision) if decision.signal.user_id.as_bytes() != record.key.as_ref() => {
                    found(Some(decision.decision_id), Cause::ForeignKey);
                }
                Ok(DecisionMade { decision_id, .. }) => {
                    // Copied out of the batch that it was read with.
                    let value = Bytes::copy_from_slice(&record.value);
                    let decision = Decision { partition, offset, decision_id, value };
                    if decisions.insert(decision_id, decision).is_some() {
                        report.superseded += 1;
                    }
                }
                Err(source) if source.is_retryable() => return Err(unavailable(partition, offset, source)),
                Err(error) => found(None, Cause::Unreadable { detail: error.to_string() }),
            }
            Ok(())
        })?;
        Ok(Self { decisions })
    }

    /// The decisions by the generations that were active for them, then by the row they were made on. Those whose
    /// settings are not on record are found at once.
    pub(super) fn by_generations(
        self,
        settings: &SettingsHistory,
        codec: &Codec,
        report: &mut Report,
    ) -> Result<Vec<(GenerationSet, ByRow)>, ReplayError> {
        let mut groups: BTreeMap<String, (GenerationSet, ByRow)> = BTreeMap::new();
        for decision in self.decisions.into_values() {
            let made = codec
                .decode_decision(&decision.value)
                .map_err(|source| unavailable(decision.partition, decision.offset, source))?;
            let control_offset = made.control_offset;
            let active = settings.at(control_offset);
            let Some(generations) = active.and_then(|active| active.generations.as_deref()) else {
                let cause = match active {
                    None => Cause::BeyondControl { control_offset },
                    Some(_) => Cause::NoSettings { control_offset },
                };
                report.found(decision.finding(cause));
                continue;
            };
            let row = RowAsked {
                user: made.signal.user_id.as_ref().into(),
                symbol: made.signal.symbol.as_ref().into(),
                applied: made.applied.map(Position::order),
                row_found: made.row_found,
            };
            drop(made);
            groups
                .entry(generations.set.book_table())
                .or_insert_with(|| (generations.set.clone(), ByRow::new()))
                .1
                .entry(row)
                .or_default()
                .push(decision);
        }
        Ok(groups.into_values().collect())
    }
}

impl Decision {
    pub(super) fn finding(&self, cause: Cause) -> Finding {
        let Self { partition, offset, decision_id, .. } = *self;
        Finding { partition, offset, decision_id: Some(decision_id), cause }
    }
}

fn unavailable(partition: u16, offset: u64, source: DecodeError) -> ReplayError {
    ReplayError::Schema { topic: Topic::Decisions, partition, offset, source }
}
