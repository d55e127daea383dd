//! The benchmarks: our path, and its limit measured in the same run with the same client, payload and cores.

mod bare;
mod bodies;
mod confidence;
mod ingest;
mod ingest_single;
mod journal;
mod load;
mod project;
mod replay;
pub mod report;
mod system;

use std::time::Duration;

use crate::exit::Failure;
use report::Report;

/// Names of the benchmarks, in the order of the table of targets.
pub const NAMES: [&str; 6] = ["confidence", "confidence-dry-run", "ingest", "ingest-single", "project", "replay"];

/// Why a benchmark ended without figures.
#[derive(Debug)]
struct BenchError(String);

impl From<Failure> for BenchError {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}

/// Runs one benchmark; `measure` is how long each side is measured.
///
/// # Errors
/// When there is no such benchmark, or it can't be run.
pub async fn run(name: &str, measure: Duration) -> Result<Report, Failure> {
    let report = match name {
        "confidence" => confidence::run(measure, confidence::Variant::Recorded).await,
        "confidence-dry-run" => confidence::run(measure, confidence::Variant::DryRun).await,
        "ingest" => ingest::run(measure).await,
        "ingest-single" => ingest_single::run(measure).await,
        "project" => project::run(measure).await,
        "replay" => replay::run(measure).await,
        _ => return Err(Failure::usage(format_args!("there is no benchmark {name}; there are {}", NAMES.join(", ")))),
    };
    report.map_err(|BenchError(message)| Failure::failed(message))
}
