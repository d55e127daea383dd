//! The project's own tasks: `cargo xtask test` checks everything, the same on a laptop and in CI.

mod bench;
mod cli;
mod command;
mod dependencies;
mod every_test;
mod failure;
mod infra;
mod needs;
mod report;
mod run;
mod services;
mod step;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Cli::parse().task {
        cli::Task::Test { only } => run::run(&only),
        cli::Task::Services { action } => services::run(&action),
    }
}
