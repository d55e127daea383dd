//! A whole build of a set of generations, all partitions, beside decoding the same journal; on a CQL store beside what
//! that takes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_fold::generation::GenerationSet;
use hindcast_projector::{Builder, BuilderConfig, FleetPorts, ProjectorMetrics};
use hindcast_reader::Boards;
use hindcast_views::ViewStore;

use super::{
    BenchError, blocking,
    counted_views::CountedViews,
    journal::{self, Journal},
    places::Places,
    project::decode_all,
    raw_rows,
    report::{Limit, Measured, Report},
};
use crate::serve::{self, config::ViewsEngine};

const USERS: u32 = 500;

pub(super) async fn run(places: &Places, measure: Duration, users: Option<u32>) -> Result<Report, BenchError> {
    let users = users.unwrap_or(USERS);
    let events = journal::events_for(measure);
    let journal = Arc::new(Journal::filled(places.make()?, events, users as usize).await?);
    let config = BuilderConfig { done_lag_events: 0, ..journal.config().builder.clone() };
    let threads = config.threads_here();
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
    let views = Arc::new(CountedViews::new(serve::open_views(journal.config()).await?));
    let build_s = build(&journal, Arc::clone(&views) as Arc<dyn ViewStore>, &config).await?;
    let written = views.written();
    let limit =
        Limit { what: "reading and decoding the same journal with as many threads", per_second: records / decode_s };
    let mut report = Report::new("reproject", places.engine(), 0.50, Measured::rate(records / build_s), limit)
        .with("events", events)
        .with("users", users)
        .with("threads", threads)
        .with("rows", written.rows)
        .with("rows_per_second", written.rows as f64 / build_s)
        .with("state_bytes", config.state_bytes)
        .with("peak_memory_mib", peak_memory_mib());
    if places.views_engine() == ViewsEngine::Cql {
        let raw = raw_rows::per_second(&journal.config().views.cql, written, measure).await?;
        report = report
            .with("row_bytes", written.key_bytes + written.state_bytes)
            .with("raw_inserts_per_second", raw)
            .with("raw_inserts_in_flight", raw_rows::IN_FLIGHT);
    }
    blocking(move || {
        drop((journal, views));
        Ok(())
    })
    .await?;
    Ok(report)
}

/// The most memory that this process ever had, MiB; `None` where the system does not tell.
fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1_024)
}

/// Seconds from an empty store until all rows are written.
async fn build(journal: &Journal, views: Arc<dyn ViewStore>, config: &BuilderConfig) -> Result<f64, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError(error.to_string());
    let log = journal.log();
    let ports = FleetPorts {
        views,
        codec: Arc::clone(journal.codec()),
        boards: Arc::new(Boards::new(log.identity().partitions)),
        metrics: Arc::new(ProjectorMetrics::register_build(&prometheus::Registry::new()).map_err(|e| failed(&e))?),
        log,
    };
    let start = Instant::now();
    let builder =
        Builder::start(&ports, &GenerationSet::default(), config, None, || false).map_err(|error| failed(&error))?;
    while !builder.is_done() {
        if let Some(why) = builder.failure() {
            return Err(BenchError(why));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seconds = start.elapsed().as_secs_f64();
    blocking(move || builder.stop().map_err(|error| BenchError(error.to_string()))).await?;
    Ok(seconds)
}
