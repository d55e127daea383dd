//! One module for each command: its arguments and what it does.

pub mod bench;
pub mod completions;
pub mod demo;
pub mod evaluate;
pub mod import;
pub mod keys;
pub mod reproject;
pub mod schema;
pub mod serve;

use std::future::Future;

use crate::{
    cli::{Cli, Command},
    exit::{Failure, Outcome},
};

/// Does what the command line asks for.
///
/// # Errors
/// One line for the person who typed it, and the exit code.
pub fn run(cli: Cli) -> Result<Outcome, Failure> {
    let json = cli.json;
    match cli.command {
        Command::Demo(args) => in_runtime(demo::run(args, json)),
        Command::Serve(args) => in_runtime(serve::run(args, json)),
        Command::Keys(args) => in_runtime(keys::run(args, json)),
        Command::Reproject(args) => in_runtime(reproject::run(args, json)),
        Command::Import(args) => in_runtime(import::run(args, json)),
        Command::Evaluate(args) => evaluate::run(&args, json),
        Command::Bench(args) => in_runtime(bench::run(args, json)),
        Command::Schema(args) => schema::run(&args, json),
        Command::Completions(args) => completions::run(&args),
    }
}

fn in_runtime(command: impl Future<Output = Result<Outcome, Failure>>) -> Result<Outcome, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the threads of the runtime: {error}")))?
        .block_on(command)
}
