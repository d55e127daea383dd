//! `hindcast evaluate`: what confidence would have been worth on history.

use std::path::PathBuf;

use clap::Args;

use crate::exit::{Failure, Outcome};

/// Arguments of `hindcast evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Walk forward through the signals and outcomes of this file (.jsonl), always scoring before learning
    #[arg(long, value_name = "FILE")]
    pub walk_forward: PathBuf,
}

/// Evaluates and prints.
///
/// # Errors
/// When the file can't be read or used.
pub fn run(_args: &EvaluateArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
