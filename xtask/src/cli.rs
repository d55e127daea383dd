//! The command line.

use clap::{Parser, Subcommand};

use crate::{services::Action, step::Step};

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Check everything: format, lints, dependencies, tests and a short run of each benchmark
    ///
    /// Steps run in the order shown and the first that fails ends the run with exit code 1. A table at the end says
    /// how long each took.
    Test {
        /// Run this step alone; can be given more than once
        #[arg(long, value_name = "STEP", value_enum)]
        only: Vec<Step>,
    },
    /// Kafka, Cassandra and a schema registry on this machine, from packages
    ///
    /// They listen on 127.0.0.1 alone. `hindcast demo --config infra/local/kafka.toml` runs on them.
    Services {
        #[command(subcommand)]
        action: Action,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn steps_are_named() {
        let Task::Test { only } = Cli::parse_from(["cargo xtask", "test", "--only", "bench", "--only", "format"]).task
        else {
            panic!("that is the test command");
        };
        assert_eq!(only, [Step::Bench, Step::Format]);
        assert!(Cli::try_parse_from(["cargo xtask", "test", "--only", "everything"]).is_err());
    }
}
