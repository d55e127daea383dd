//! `hindcast completions`: scripts for shells.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    cli::Cli,
    exit::{Failure, Outcome},
};

const EXAMPLES: &str = "\
Examples:
  hindcast completions bash > /etc/bash_completion.d/hindcast
  hindcast completions zsh > ~/.zfunc/_hindcast";

/// Arguments of `hindcast completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When standard output can't be written.
pub fn run(args: &CompletionsArgs) -> Result<Outcome, Failure> {
    // Into memory first: the generator panics when its writer fails, as a closed pipe does.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hindcast", &mut script);
    std::io::stdout()
        .lock()
        .write_all(&script)
        .map_err(|error| Failure::failed(format!("cannot write to standard output: {error}")))?;
    Ok(Outcome::Done)
}
