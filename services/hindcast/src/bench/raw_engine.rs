//! The engine below the embedded log: the limit of `replay` there.

use std::{path::Path, time::Instant};

use fjall::{Database, KeyspaceCreateOptions};
use hindcast_journal::{ReadLimit, Topic};
use hindcast_schemas::Codec;

use super::{BenchError, journal::Journal};

const READ: ReadLimit = ReadLimit { records: 4_096, bytes: 8 << 20 };

/// The engine below the log, with the same records and nothing of ours around them.
pub(super) struct RawEngine {
    keyspace: fjall::Keyspace,
    _database: Database,
    _folder: tempfile::TempDir,
}

impl RawEngine {
    pub(super) fn copy_of(journal: &Journal) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(|error| BenchError(format!("no temporary folder: {error}")))?;
        let (database, keyspace) = open(folder.path()).map_err(|error| BenchError(error.to_string()))?;
        let log = journal.log();
        for partition in 0..journal.partitions() {
            let end = *log.durable_end(Topic::Journal, partition).borrow();
            // The genesis record is no event.
            let (mut next, mut records) = (1, Vec::new());
            while next < end {
                records.clear();
                next = log
                    .read(Topic::Journal, partition, next, READ, &mut records)
                    .map_err(|error| BenchError(error.to_string()))?;
                let mut batch = database.batch();
                for record in &records {
                    let key = [&partition.to_be_bytes()[..], &record.offset.to_be_bytes()].concat();
                    batch.insert(&keyspace, key, &record.value[..]);
                }
                batch.commit().map_err(|error| BenchError(error.to_string()))?;
            }
        }
        Ok(Self { keyspace, _database: database, _folder: folder })
    }

    /// Seconds.
    pub(super) fn scan_and_decode(&self, codec: &Codec) -> Result<f64, BenchError> {
        let start = Instant::now();
        for item in self.keyspace.iter() {
            let value = item.value().map_err(|error| BenchError(error.to_string()))?;
            let event = codec.decode_event(&value).map_err(|error| BenchError(error.to_string()))?;
            std::hint::black_box(&event);
        }
        Ok(start.elapsed().as_secs_f64())
    }
}

fn open(folder: &Path) -> fjall::Result<(Database, fjall::Keyspace)> {
    let database = Database::builder(folder).open()?;
    let keyspace = database.keyspace("records", KeyspaceCreateOptions::default)?;
    Ok((database, keyspace))
}
