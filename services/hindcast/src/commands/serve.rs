//! `hindcast serve`: runs roles in this process.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::exit::{Failure, Outcome};

const EXAMPLES: &str = "\
Examples:
  hindcast serve --data ./data
  hindcast serve --config hindcast.toml --roles ingress,confidence";

/// Arguments of `hindcast serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Configuration (TOML); every key can be overridden by environment, as in HINDCAST_INGRESS__LISTEN
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Where the data is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Which roles to run: ingress, projector, confidence, admin; all when absent
    #[arg(long, value_name = "ROLE,..", value_delimiter = ',')]
    pub roles: Vec<String>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the configuration is wrong or the service can't be started.
pub async fn run(_args: ServeArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
