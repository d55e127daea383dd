//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::{
    client::{Client, RetryLimits},
    commands::{bench, completions, demo, evaluate, import, keys, reproject, schema, serve},
    exit::Failure,
};

const EXAMPLES: &str = "\
Examples:
  hindcast demo                                   the whole system on this machine, with a market to watch
  hindcast serve --data ./data                    serve on 127.0.0.1:8080, keep everything in ./data
  hindcast keys create --user desk-1              a key for the bots of desk-1
  hindcast import history.jsonl --user desk-1     bring earlier signals and trades in
  hindcast reproject status                       generations of the views, and where they stand
  hindcast evaluate --walk-forward history.jsonl  what confidence would have been worth

Exit codes: 0 done, 1 failed, 2 usage, 3 verification found differences.";

/// How much confidence does a trading signal deserve, given how its owner's past signals turned out?
#[derive(Debug, Parser)]
#[command(name = "hindcast", version, about, after_help = EXAMPLES, propagate_version = false)]
pub struct Cli {
    /// Print machine-readable output
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole system on this machine, with a market to watch
    Demo(demo::DemoArgs),
    /// Run the service
    Serve(serve::ServeArgs),
    /// Create, list and revoke API keys
    Keys(keys::KeysArgs),
    /// Bring bulk history (JSONL or CSV of signals and trades) in
    Import(import::ImportArgs),
    /// Change a projection without stopping anything
    Reproject(reproject::ReprojectArgs),
    /// Judge a model on history
    Evaluate(evaluate::EvaluateArgs),
    /// Run a benchmark beside its own limit
    Bench(bench::BenchArgs),
    /// Check the schemas of the logs
    Schema(schema::SchemaArgs),
    /// Print a script of shell completions
    Completions(completions::CompletionsArgs),
}

/// Which running system to talk to.
///
/// The credential is no argument: arguments can be read by every user of the machine.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Where the running system is; the key comes from HINDCAST_API_KEY
    #[arg(long, global = true, env = "HINDCAST_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,
}

impl ServerArgs {
    /// A client of that system, with the key of the environment.
    ///
    /// # Errors
    /// When there is no key, or the URL is none.
    pub fn client(&self, limits: RetryLimits) -> Result<Client, Failure> {
        let key = std::env::var(API_KEY_VARIABLE).unwrap_or_default();
        let key = key.trim();
        if key.is_empty() {
            return Err(Failure::usage(format!(
                "{API_KEY_VARIABLE} is not set; put the API key into it (`hindcast serve` prints one when it starts \
                 on an empty data folder)"
            )));
        }
        Ok(Client::new(&self.url, Some(key), limits)?)
    }
}

/// The environment variable with the API key of commands that talk to a running system.
pub const API_KEY_VARIABLE: &str = "HINDCAST_API_KEY";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
