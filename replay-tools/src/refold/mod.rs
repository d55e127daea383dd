//! A journal folded from scratch into memory: what a view store has to hold for the same prefix, byte for byte.

mod compare;

use std::collections::BTreeMap;

use hindcast_domain::Position;
use hindcast_facts::Journaled;
use hindcast_fold::{
    generation::GenerationSet,
    keys,
    pipeline::{FoldParams, fold_record},
};
use hindcast_journal::{Log, Topic};
use hindcast_schemas::Codec;
use hindcast_views::{Row, TableName};

pub use self::compare::{Comparison, Difference};
use crate::{
    pass::{ReplayError, durable_ends, each_record, journaled},
    states::{UserStates, entry},
};

/// What a journal prefix folds into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refolded {
    /// Every row by table and key, as a projector has to write it.
    pub rows: BTreeMap<(TableName, Vec<u8>), Row>,
    /// Position of the last record of each partition, and the offset after it.
    pub folded_to: BTreeMap<u16, (Position, u64)>,
    /// Names of the tables, also of those without rows.
    pub tables: Vec<TableName>,
    /// Records read.
    pub records: u64,
}

/// Folds the whole journal, as far as it is durable now.
///
/// Holds the rows of all users, and the states of the users of one partition. Blocks on the log.
///
/// # Errors
/// When the log or a schema can't be read, or this version can't fold these generations.
pub fn refold(log: &dyn Log, codec: &Codec, generations: &GenerationSet) -> Result<Refolded, ReplayError> {
    refold_to(log, codec, generations, &durable_ends(log, Topic::Journal))
}

/// Folds the journal's partitions up to these ends, exclusive.
///
/// # Errors
/// As [`refold`]; also when the journal doesn't reach to an end.
pub fn refold_to(
    log: &dyn Log,
    codec: &Codec,
    generations: &GenerationSet,
    ends: &[u64],
) -> Result<Refolded, ReplayError> {
    let params = generations.fold_params()?;
    let [admission, book, activity] =
        [generations.admission_table(), generations.book_table(), generations.activity_table()]
            .map(|name| TableName(name.into()));
    let mut refolded =
        Refolded { tables: vec![admission.clone(), book.clone(), activity.clone()], ..Refolded::default() };
    for (partition, &end) in (0..log.identity().partitions).zip(ends) {
        let users = fold_partition(log, codec, &params, partition, end, &mut refolded)?;
        for (user, states) in users {
            let UserStates { admission: state, books, activities } = states;
            refolded.put(&admission, keys::admission_key(&user), state.applied(), |into| state.encode(into));
            for (symbol, state) in books {
                refolded.put(&book, keys::book_key(&user, &symbol), state.applied(), |into| state.encode(into));
            }
            for (day, state) in activities {
                refolded.put(&activity, keys::activity_key(&user, day), state.applied(), |into| state.encode(into));
            }
        }
    }
    Ok(refolded)
}

fn fold_partition(
    log: &dyn Log,
    codec: &Codec,
    params: &FoldParams,
    partition: u16,
    end: u64,
    refolded: &mut Refolded,
) -> Result<BTreeMap<Box<str>, UserStates>, ReplayError> {
    let mut users = BTreeMap::new();
    each_record(log, Topic::Journal, partition, end, |record| {
        if let Journaled::Fact { user, input } = journaled(codec, record)? {
            fold_record(entry::<UserStates>(&mut users, user), params, user, &input, record.position);
        }
        refolded.records += 1;
        refolded.folded_to.insert(partition, (record.position, record.offset + 1));
        Ok(())
    })?;
    Ok(users)
}

impl Refolded {
    fn put(&mut self, table: &TableName, key: Vec<u8>, applied: Option<Position>, encode: impl FnOnce(&mut Vec<u8>)) {
        // A state that no record was routed to is no row.
        if let Some(applied) = applied {
            let mut state = Vec::new();
            encode(&mut state);
            self.rows.insert((table.clone(), key), Row { applied, state });
        }
    }
}
