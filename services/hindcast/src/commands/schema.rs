//! `hindcast schema`: the schemas of the logs.

use clap::{Args, Subcommand};

use crate::exit::{Failure, Outcome};

/// Arguments of `hindcast schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What to do with schemas.
    #[command(subcommand)]
    pub action: SchemaAction,
}

/// What to do with schemas.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum SchemaAction {
    /// Check that every version of every schema can be read by every other
    Check,
}

/// Checks and prints.
///
/// # Errors
/// None of its own; incompatibilities are printed and give exit code 3.
pub fn run(_args: &SchemaArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
