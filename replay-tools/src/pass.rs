//! One pass over a partition of a log, in batches.

use hindcast_facts::{Journaled, read_journaled};
use hindcast_fold::generation::UnknownFold;
use hindcast_journal::{Log, LogError, ReadLimit, Record, Topic};
use hindcast_schemas::{Codec, DecodeError};

/// Why history can't be replayed now, or not by this version. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log can't be read.
    #[error("{} partition {partition} can't be read: {source}", topic.name())]
    Log {
        /// The topic.
        topic: Topic,
        /// Its partition.
        partition: u16,
        /// What the log said.
        source: LogError,
    },
    /// A schema can't be fetched.
    #[error("the record at {} {partition}-{offset} can't be decoded now: {source}", topic.name())]
    Schema {
        /// The record's topic.
        topic: Topic,
        /// Its partition.
        partition: u16,
        /// Its offset.
        offset: u64,
        /// What the registry said.
        source: DecodeError,
    },
    /// The generations ask for a fold that this version does not have.
    #[error(transparent)]
    UnknownFold(#[from] UnknownFold),
    /// The log ends before the end that was asked for.
    #[error("{} partition {partition} gives nothing at offset {offset}, but should reach to {end}", topic.name())]
    TooShort {
        /// The topic.
        topic: Topic,
        /// Its partition.
        partition: u16,
        /// Where nothing more came.
        offset: u64,
        /// The end that was asked for.
        end: u64,
    },
}

const BATCH: ReadLimit = ReadLimit { records: 2_048, bytes: 4 << 20 };

/// One past the last durable record of each partition of a topic, now.
#[must_use]
pub fn durable_ends(log: &dyn Log, topic: Topic) -> Vec<u64> {
    (0..log.identity().partitions_of(topic)).map(|partition| *log.durable_end(topic, partition).borrow()).collect()
}

/// Gives every record of a partition below `end`, in order; offsets need not be dense.
pub(crate) fn each_record(
    log: &dyn Log,
    topic: Topic,
    partition: u16,
    end: u64,
    mut visit: impl FnMut(&Record) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    let mut records = Vec::new();
    let mut next = 0;
    while next < end {
        records.clear();
        let after = log.read(topic, partition, next, BATCH, &mut records).map_err(|source| ReplayError::Log {
            topic,
            partition,
            source,
        })?;
        if after <= next {
            return Err(ReplayError::TooShort { topic, partition, offset: next, end });
        }
        for record in records.iter().take_while(|record| record.offset < end) {
            visit(record)?;
        }
        next = after;
    }
    Ok(())
}

/// What a record of the journal says; fails only for a schema that can't be fetched now.
pub(crate) fn journaled<'r>(codec: &Codec, record: &'r Record) -> Result<Journaled<'r>, ReplayError> {
    read_journaled(codec, record).map_err(|source| ReplayError::Schema {
        topic: Topic::Journal,
        partition: record.position.partition,
        offset: record.offset,
        source,
    })
}
