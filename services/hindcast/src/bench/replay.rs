//! Reading typed events of a folder, as `--from embedded:DIR` does, beside the raw engine and decoding.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use fjall::{Database, KeyspaceCreateOptions};
use hindcast_journal::{ReadLimit, Topic};
use hindcast_schemas::Codec;

use super::{
    BenchError,
    journal::{self, Journal},
    project::decode_all,
    report::{Limit, Measured, Report},
};

const USERS: usize = 500;
const READ: ReadLimit = ReadLimit { records: 4_096, bytes: 8 << 20 };

pub(super) async fn run(measure: Duration) -> Result<Report, BenchError> {
    let events = journal::events_for(measure);
    let journal = Journal::filled(events, USERS).await?;
    let result = tokio::task::spawn_blocking(move || {
        let raw = RawEngine::copy_of(&journal)?;
        let codec = journal::codec()?;
        // Once before, so that neither side pays for the first read of the files.
        raw.scan_and_decode(&codec)?;
        decode_all(&journal, 1)?;
        let raw_s = raw.scan_and_decode(&codec)?;
        let ours_s = decode_all(&journal, 1)?;
        Ok::<_, BenchError>((journal.records() as f64, raw_s, ours_s))
    });
    let (records, raw_s, ours_s) = result.await.map_err(|error| BenchError(error.to_string()))??;
    let limit = Limit { what: "scanning the raw engine, one record a key, and decoding", per_second: records / raw_s };
    let report = Report::new("replay", 0.60, Measured::rate(records / ours_s), limit);
    Ok(report.with("events", events))
}

/// The engine below the log, with the same records and nothing of ours around them.
struct RawEngine {
    keyspace: fjall::Keyspace,
    _database: Database,
    _folder: tempfile::TempDir,
}

impl RawEngine {
    fn copy_of(journal: &Journal) -> Result<Self, BenchError> {
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
    fn scan_and_decode(&self, codec: &Codec) -> Result<f64, BenchError> {
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
