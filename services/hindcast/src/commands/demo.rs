//! `hindcast demo`: the whole system on one machine, with a market to watch.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use clap::Args;

use crate::exit::{Failure, Outcome};

const EXAMPLES: &str = "\
Examples:
  hindcast demo                               a synthetic market, then serve until Ctrl-C
  hindcast demo --speed 200 --users 2         slow enough to watch
  hindcast demo --bars es_1min.csv.gz --exit  real minutes; print what was learned and end";

/// Arguments of `hindcast demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// Real one-minute bars (timestamp,open,high,low,close,volume; .csv or .csv.gz) in place of the synthetic market
    #[arg(long, value_name = "FILE")]
    pub bars: Option<PathBuf>,
    /// How many users trade
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub users: u8,
    /// Bars a second; as fast as it goes when absent
    #[arg(long, value_name = "N")]
    pub speed: Option<NonZeroU32>,
    /// Keep the data here; a temporary folder when absent
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration of the service
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to serve
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Instruments of the market
    #[arg(long, value_name = "SYMBOL,..", value_delimiter = ',', default_value = "ES")]
    pub symbols: Vec<String>,
    /// Seed of the synthetic market: the same seed gives the same market
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "bars")]
    pub seed: u64,
    /// End after printing what was learned, in place of serving on
    #[arg(long)]
    pub exit: bool,
}

/// Runs the demo.
///
/// # Errors
/// When the service can't be started, the bars can't be read or a request fails for good.
pub async fn run(_args: DemoArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
