//! `hindcast bench`: the benchmarks, each beside its own limit.

use clap::Args;

use crate::exit::{Failure, Outcome};

/// Arguments of `hindcast bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Which benchmark: confidence, confidence-dry-run, ingest, ingest-single, project, replay
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How long to measure
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub seconds: u32,
}

/// Measures and prints.
///
/// # Errors
/// When there is no such benchmark or it can't be run.
pub async fn run(_args: BenchArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
