//! The live projector, journal to views, beside decoding the same journal.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, ReadLimit, RecordType, Topic};
use hindcast_projector::{Projector, ProjectorConfig, ProjectorMetrics, ProjectorPorts};
use hindcast_reader::ProgressBoard;
use hindcast_schemas::Codec;
use hindcast_views::embedded::{EmbeddedViews, EmbeddedViewsConfig};

use super::{
    BenchError,
    journal::{self, Journal},
    report::{Limit, Measured, Report},
};

const USERS: usize = 500;
const READ: ReadLimit = ReadLimit { records: 4_096, bytes: 8 << 20 };

pub(super) async fn run(measure: Duration) -> Result<Report, BenchError> {
    let events = journal::events_for(measure);
    let journal = Journal::filled(events, USERS).await?;
    let threads = ProjectorConfig::default().threads;
    let result = tokio::task::spawn_blocking(move || {
        // Once before, so that neither side pays for the first read of the files.
        decode_all(&journal, threads)?;
        let decode_s = decode_all(&journal, threads)?;
        let project_s = project_all(&journal, threads)?;
        Ok::<_, BenchError>((journal.records() as f64, decode_s, project_s))
    });
    let (records, decode_s, project_s) = result.await.map_err(|error| BenchError(error.to_string()))??;
    let limit =
        Limit { what: "reading and decoding the same journal with as many threads", per_second: records / decode_s };
    let report = Report::new("project", 0.40, Measured::rate(records / project_s), limit);
    Ok(report.with("events", events).with("users", USERS).with("threads", threads))
}

/// Seconds to read and decode everything, partitions spread over threads as the projector does.
pub(super) fn decode_all(journal: &Journal, threads: u16) -> Result<f64, BenchError> {
    let codec = journal::codec()?;
    let start = Instant::now();
    let partitions = journal.partitions();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|group| {
                let (log, codec) = (journal.log(), &codec);
                scope.spawn(move || {
                    (0..partitions)
                        .filter(|partition| partition % threads == group)
                        .try_for_each(|partition| decode_partition(&*log, codec, partition))
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(BenchError("a decoding thread panicked".to_owned())))
        })
    })?;
    Ok(start.elapsed().as_secs_f64())
}

fn decode_partition(log: &dyn Log, codec: &Codec, partition: u16) -> Result<(), BenchError> {
    let end = *log.durable_end(Topic::Journal, partition).borrow();
    let (mut next, mut records) = (0, Vec::new());
    while next < end {
        records.clear();
        next = log.read(Topic::Journal, partition, next, READ, &mut records).map_err(|e| BenchError(e.to_string()))?;
        for record in records.iter().filter(|record| record.record_type != RecordType::Genesis) {
            let event = codec.decode_event(&record.value).map_err(|error| BenchError(error.to_string()))?;
            std::hint::black_box(&event);
        }
    }
    Ok(())
}

/// Seconds from an empty store until all rows are written.
fn project_all(journal: &Journal, threads: u16) -> Result<f64, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError(error.to_string());
    let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
    let views =
        EmbeddedViews::open(&folder.path().join("views"), &EmbeddedViewsConfig::default()).map_err(|e| failed(&e))?;
    let log = journal.log();
    let metrics = ProjectorMetrics::register(&prometheus::Registry::new(), log.identity()).map_err(|e| failed(&e))?;
    let board = Arc::new(ProgressBoard::new(log.identity().partitions));
    let ports = ProjectorPorts {
        log: Arc::clone(&log),
        views: Arc::new(views),
        codec: Arc::new(journal::codec()?),
        board: Arc::clone(&board),
        metrics: Arc::new(metrics),
    };
    let config = ProjectorConfig { threads, ..ProjectorConfig::default() };
    let start = Instant::now();
    let projector = Projector::start(&ports, &GenerationSet::default(), &config).map_err(|error| failed(&error))?;
    let behind = |partition: u16| {
        let end = *log.durable_end(Topic::Journal, partition).borrow();
        board.current(partition).map_or(0, |progress| progress.next_offset) < end
    };
    while (0..journal.partitions()).any(behind) {
        if let Some(why) = projector.failure().borrow().clone() {
            return Err(BenchError(why));
        }
        thread::sleep(Duration::from_millis(1));
    }
    let seconds = start.elapsed().as_secs_f64();
    projector.stop().map_err(|error| failed(&error))?;
    Ok(seconds)
}
