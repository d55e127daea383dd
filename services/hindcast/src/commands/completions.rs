//! `hindcast completions`: scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    cli::Cli,
    exit::{Failure, Outcome},
    output::print,
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
    print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
