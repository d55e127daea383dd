//! The live projector, journal to views, beside decoding the same journal, and on a CQL store beside what that takes.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, ReadLimit, RecordType, Topic};
use hindcast_projector::{Notices, Projector, ProjectorConfig, ProjectorMetrics, ProjectorPorts};
use hindcast_reader::ProgressBoard;
use hindcast_schemas::Codec;
use hindcast_views::ViewStore;

use super::{
    BenchError, blocking,
    counted_views::CountedViews,
    journal::{self, Journal},
    places::Places,
    raw_rows,
    report::{Limit, Measured, Report},
};
use crate::serve::{self, config::ViewsEngine};

const USERS: usize = 500;
const READ: ReadLimit = ReadLimit { records: 4_096, bytes: 8 << 20 };

pub(super) async fn run(places: &Places, measure: Duration) -> Result<Report, BenchError> {
    let events = journal::events_for(measure);
    let journal = Arc::new(Journal::filled(places.make()?, events, USERS).await?);
    let threads = ProjectorConfig::default().threads;
    let decode_s = {
        let journal = Arc::clone(&journal);
        blocking(move || {
            // Once before, so that neither side pays for the first read of the files.
            decode_all(&journal, threads)?;
            decode_all(&journal, threads)
        })
        .await?
    };
    let records = journal.records() as f64;
    let views = serve::open_views(journal.config()).await?;
    let kept = Arc::clone(&views);
    let limit =
        Limit { what: "reading and decoding the same journal with as many threads", per_second: records / decode_s };
    let report = |project_s: f64| {
        let report = Report::new("project", places.engine(), 0.40, Measured::rate(records / project_s), limit);
        report.with("events", events).with("users", USERS).with("threads", threads)
    };
    let report = match places.views_engine() {
        ViewsEngine::Embedded => report(project_all(&journal, views, threads).await?),
        ViewsEngine::Cql => {
            let views = Arc::new(CountedViews::new(views));
            let project_s = project_all(&journal, Arc::clone(&views) as Arc<dyn ViewStore>, threads).await?;
            let written = views.written();
            let raw = raw_rows::per_second(&journal.config().views.cql, written, measure).await?;
            report(project_s)
                .with("rows", written.rows)
                .with("row_bytes", written.key_bytes + written.state_bytes)
                .with("rows_per_second", written.rows as f64 / project_s)
                .with("raw_inserts_per_second", raw)
                .with("raw_inserts_in_flight", raw_rows::IN_FLIGHT)
        }
    };
    blocking(move || {
        drop((journal, kept));
        Ok(())
    })
    .await?;
    Ok(report)
}

/// Seconds to read and decode everything, partitions spread over threads as the projector does.
pub(super) fn decode_all(journal: &Journal, threads: u16) -> Result<f64, BenchError> {
    let start = Instant::now();
    let partitions = journal.partitions();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|group| {
                let (log, codec) = (journal.log(), &**journal.codec());
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
async fn project_all(journal: &Journal, views: Arc<dyn ViewStore>, threads: u16) -> Result<f64, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError(error.to_string());
    let log = journal.log();
    let metrics = ProjectorMetrics::register(&prometheus::Registry::new()).map_err(|e| failed(&e))?;
    let board = Arc::new(ProgressBoard::new(log.identity().partitions));
    let ports = ProjectorPorts {
        log: Arc::clone(&log),
        views,
        codec: Arc::clone(journal.codec()),
        board: Arc::clone(&board),
        metrics: Arc::new(metrics),
        notices: Notices::All,
        pace: None,
    };
    let config = ProjectorConfig { threads, ..ProjectorConfig::default() };
    let start = Instant::now();
    // Whoever gives up drops it, and it writes no more.
    let projector = Projector::start(&ports, &GenerationSet::default(), &config).map_err(|error| failed(&error))?;
    let behind = |partition: u16| {
        let end = *log.durable_end(Topic::Journal, partition).borrow();
        board.current(partition).map_or(0, |progress| progress.next_offset) < end
    };
    while (0..journal.partitions()).any(behind) {
        if let Some(why) = projector.failure().borrow().clone() {
            return Err(BenchError(why));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seconds = start.elapsed().as_secs_f64();
    blocking(move || projector.stop().map_err(|error| BenchError(error.to_string()))).await?;
    Ok(seconds)
}
