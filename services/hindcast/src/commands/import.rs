//! `hindcast import`: bulk history through the API.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::ServerArgs,
    exit::{Failure, Outcome},
};

/// Arguments of `hindcast import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The running system.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The history: .jsonl or .csv, either may be compressed (.gz)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose history it is; the key must be this user's
    #[arg(long, value_name = "ID")]
    pub user: String,
}

/// Checks the whole file, then sends it.
///
/// # Errors
/// When a row can't be used, the system can't be reached or the key belongs to somebody else.
pub async fn run(_args: ImportArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
