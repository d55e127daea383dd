//! Reading typed events of a stopped server's folder, beside the raw engine and decoding.

use std::time::Duration;

use super::{BenchError, report::Report};

pub(super) async fn run(_measure: Duration) -> Result<Report, BenchError> {
    Err(BenchError("not there yet".to_owned()))
}
