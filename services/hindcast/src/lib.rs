//! The command `hindcast`: parses the command line, builds adapters and composes roles.
//!
//! Only this crate names adapters. Everything that talks to a running system does so through the HTTP API, as any
//! other program would.

use std::process::ExitCode;

use clap::Parser;

pub mod bench;
pub mod cli;
pub mod client;
pub mod commands;
pub mod exit;
pub mod market;
pub mod output;
mod progress;
pub mod report;
pub mod serve;
pub mod strategy;
mod text_file;

/// Parses the command line, does what it asks for and says how that went.
#[must_use]
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    exit::report(commands::run(cli))
}
