//! `hindcast keys`: API keys, through the admin API.

use clap::{Args, Subcommand};

use crate::{
    cli::ServerArgs,
    exit::{Failure, Outcome},
};

const EXAMPLES: &str = "\
Examples:
  export HINDCAST_API_KEY=...                     a key with the scope admin
  hindcast keys create --user desk-1 --expires 90d
  hindcast keys list
  hindcast keys revoke KEY_ID";

/// Arguments of `hindcast keys`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct KeysArgs {
    /// The running system.
    #[command(flatten)]
    pub server: ServerArgs,
    /// What to do with keys.
    #[command(subcommand)]
    pub action: KeysAction,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// Create a key and show its secret once
    Create {
        /// Whose requests it authenticates
        #[arg(long, value_name = "ID")]
        user: String,
        /// What it may do: trade, replay, admin
        #[arg(long, value_name = "SCOPE,..", value_delimiter = ',', default_value = "trade")]
        scopes: Vec<String>,
        /// When it stops working, from now on: 90d, 12h, 30m, 60s; never when absent
        #[arg(long, value_name = "DURATION")]
        expires: Option<String>,
        /// Its own rate limit
        #[arg(long, value_name = "N")]
        requests_per_minute: Option<u32>,
    },
    /// List all keys, without their secrets
    List,
    /// Make a key stop working
    Revoke {
        /// The key's id
        #[arg(value_name = "KEY_ID")]
        id: String,
    },
}

/// Creates, lists or revokes.
///
/// # Errors
/// When the system can't be reached or refuses.
pub async fn run(_args: KeysArgs, _json: bool) -> Result<Outcome, Failure> {
    todo!()
}
