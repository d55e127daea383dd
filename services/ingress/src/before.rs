//! What the journal held before this process started.
//!
//! Events since then are known in memory. Those before are known to the views once they are projected, which after a
//! crash takes a moment: a client that repeats, right after the restart, what it sent right before the crash, shall be
//! told that it was taken in.

use std::time::{Duration, Instant};

use hindcast_domain::Position;
use hindcast_journal::{Log, LogError, ReadLimit, RecordType, Topic};

/// How long after the start lookups wait for the projection. One that takes longer has much to catch up on, and writes
/// are not to be slow all that while.
const GRACE: Duration = Duration::from_secs(10);

/// What the journal held before this process started.
#[derive(Debug)]
pub(crate) struct Before {
    /// The last record of each partition; `None` without any but the genesis.
    last: Vec<Option<Position>>,
    started: Instant,
}

impl Before {
    /// Reads the last record of every partition. Blocks.
    ///
    /// # Errors
    /// When the log can't be read.
    pub(crate) fn read(log: &dyn Log) -> Result<Self, LogError> {
        let last = (0..log.identity().partitions).map(|partition| last_record(log, partition));
        Ok(Self { last: last.collect::<Result<_, _>>()?, started: Instant::now() })
    }

    /// The position up to which an answer about a user of the partition must know, while that is to be waited for.
    pub(crate) fn position(&self, partition: u16) -> Option<Position> {
        self.last.get(usize::from(partition)).copied().flatten().filter(|_| self.started.elapsed() < GRACE)
    }
}

fn last_record(log: &dyn Log, partition: u16) -> Result<Option<Position>, LogError> {
    let end = *log.durable_end(Topic::Journal, partition).borrow();
    let mut records = Vec::new();
    log.read(Topic::Journal, partition, end.saturating_sub(1), ReadLimit { records: 1, bytes: 1 }, &mut records)?;
    Ok(records.last().filter(|record| record.record_type != RecordType::Genesis).map(|record| record.position))
}
