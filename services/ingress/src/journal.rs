//! Single records of the journal by their position.

use hindcast_domain::Position;
use hindcast_journal::{Log, LogError, ReadLimit, Record, RecordType, Topic};

const ONE: ReadLimit = ReadLimit { records: 1, bytes: 1 };

/// The journal's record with a position, if there is one. Blocks.
///
/// A record of this epoch stands at its offset. A restored one stands somewhere else, but in the order of positions, so
/// that it is found by halving.
pub(crate) fn record_at(log: &dyn Log, position: Position) -> Result<Option<Record>, LogError> {
    let found = if position.epoch == log.identity().epoch {
        first_from(log, position.partition, position.offset)?
    } else {
        let (mut low, mut high) = (0, *log.durable_end(Topic::Journal, position.partition).borrow());
        while low < high {
            let middle = low + (high - low) / 2;
            match first_from(log, position.partition, middle)? {
                Some(record) if is_before(&record, position) => low = record.offset + 1,
                Some(_) | None => high = middle,
            }
        }
        first_from(log, position.partition, low)?
    };
    Ok(found.filter(|record| record.position == position && record.record_type != RecordType::Genesis))
}

fn first_from(log: &dyn Log, partition: u16, offset: u64) -> Result<Option<Record>, LogError> {
    let mut records = Vec::with_capacity(1);
    log.read(Topic::Journal, partition, offset, ONE, &mut records)?;
    Ok(records.into_iter().next())
}

/// The genesis record stands before everything, whatever its epoch.
fn is_before(record: &Record, position: Position) -> bool {
    record.record_type == RecordType::Genesis || record.position.order() < position.order()
}

#[cfg(test)]
mod tests {
    use hindcast_journal::{Appending, LogIdentity, NewRecord};
    use tokio::sync::watch;

    use super::*;

    /// A log of one partition that was restored: records of two epochs, with gaps between their old offsets.
    struct Restored {
        identity: LogIdentity,
        records: Vec<Record>,
    }

    impl Restored {
        fn new() -> Self {
            let genesis = (RecordType::Genesis, 1, 0);
            let old = (0..40).map(|n| (RecordType::Trade, 0, 3 + n * 2));
            let new = (41..60).map(|n| (RecordType::Trade, 1, n));
            let records = std::iter::once(genesis)
                .chain(old)
                .chain(new)
                .enumerate()
                .map(|(cursor, (record_type, epoch, offset))| Record {
                    offset: cursor as u64,
                    position: Position { epoch, partition: 0, offset },
                    record_type,
                    timestamp_us: 0,
                    key: Default::default(),
                    traceparent: None,
                    value: Default::default(),
                })
                .collect();
            let identity = LogIdentity { journal_id: uuid::Uuid::nil(), epoch: 1, partitions: 1 };
            Self { identity, records }
        }
    }

    impl Log for Restored {
        fn identity(&self) -> &LogIdentity {
            &self.identity
        }

        fn is_shared(&self) -> bool {
            false
        }

        fn append(&self, _: Vec<NewRecord>) -> Appending {
            unreachable!("nothing is written")
        }

        fn read(
            &self,
            _: Topic,
            _: u16,
            from_offset: u64,
            _: ReadLimit,
            into: &mut Vec<Record>,
        ) -> Result<u64, LogError> {
            let found = self.records.iter().find(|record| record.offset >= from_offset);
            into.extend(found.cloned());
            Ok(found.map_or(from_offset, |record| record.offset + 1))
        }

        fn durable_end(&self, _: Topic, _: u16) -> watch::Receiver<u64> {
            watch::channel(self.records.len() as u64).1
        }

        fn health(&self) -> Result<(), String> {
            Ok(())
        }
    }

    #[test]
    fn every_record_is_found_by_its_position_and_nothing_else() {
        let log = Restored::new();
        for record in log.records.iter().skip(1) {
            let found = record_at(&log, record.position).unwrap().unwrap();
            assert_eq!(found.offset, record.offset, "{}", record.position);
        }
        for (epoch, offset) in [(0, 0), (0, 2), (0, 4), (0, 82), (0, 1_000), (1, 0), (1, 40), (1, 60), (1, u64::MAX)] {
            let position = Position { epoch, partition: 0, offset };
            assert!(record_at(&log, position).unwrap().is_none(), "{position}");
        }
    }
}
