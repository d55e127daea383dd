//! The benchmarks: our path, and its limit measured in the same run with the same client, payload and cores.
//!
//! They run on the engines of a configuration, in places of their own: topics, a consumer group and a keyspace that are
//! removed at the end.

mod bare;
mod beside;
mod bodies;
mod confidence;
mod counted_views;
mod disk;
mod ingest;
mod ingest_single;
mod journal;
mod load;
mod places;
mod project;
mod raw_consumer;
mod raw_engine;
mod raw_producer;
mod raw_rows;
mod replay;
pub mod report;
mod reproject;
mod system;
mod while_building;

use std::time::Duration;

use hindcast_service_kit::shutdown::Shutdown;
use places::Places;
use report::Report;

use crate::{exit::Failure, serve::ServeConfig};

/// Names of the benchmarks, in the order of the table of targets.
pub const NAMES: [&str; 8] = [
    "confidence",
    "confidence-dry-run",
    "confidence-while-building",
    "ingest",
    "ingest-single",
    "project",
    "reproject",
    "replay",
];

/// Why a benchmark ended without figures.
#[derive(Debug)]
struct BenchError(String);

impl From<Failure> for BenchError {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How long each side is measured.
    pub measure: Duration,
    /// Users of the history, for the benchmark that has a choice.
    pub users: Option<u32>,
}

/// Runs one benchmark on the engines of a configuration.
///
/// # Errors
/// When there is no such benchmark, it can't be run, or what it made in services can't be removed.
pub async fn run(name: &str, size: Size, config: ServeConfig) -> Result<Report, Failure> {
    if !NAMES.contains(&name) {
        return Err(Failure::usage(format_args!("there is no benchmark {name}; there are {}", NAMES.join(", "))));
    }
    if size.users.is_some() && name != "reproject" {
        return Err(Failure::usage(format_args!("--users is for the benchmark reproject, {name} has its own")));
    }
    let places = Places::new(config);
    let stop = Shutdown::new();
    stop.on_signals().map_err(|error| Failure::failed(format_args!("signals can't be caught: {error}")))?;
    let report = tokio::select! {
        report = run_in(&places, name, size) => report,
        () = stop.wait() => Err(BenchError("interrupted".to_owned())),
    };
    let removed = places.remove().await;
    let report = report.and_then(|report| removed.map(|()| report));
    report.map_err(|BenchError(message)| Failure::failed(message))
}

async fn run_in(places: &Places, name: &str, Size { measure, users }: Size) -> Result<Report, BenchError> {
    match name {
        "confidence" => confidence::run(places, measure, confidence::Variant::Recorded).await,
        "confidence-dry-run" => confidence::run(places, measure, confidence::Variant::DryRun).await,
        "confidence-while-building" => while_building::run(places, measure).await,
        "ingest" => ingest::run(places, measure).await,
        "ingest-single" => ingest_single::run(places, measure).await,
        "project" => project::run(places, measure).await,
        "reproject" => reproject::run(places, measure, users).await,
        _ => replay::run(places, measure).await,
    }
}

/// Off the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BenchError> + Send + 'static,
) -> Result<T, BenchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BenchError(error.to_string())),
    }
}
