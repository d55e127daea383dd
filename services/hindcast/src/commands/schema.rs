//! `hindcast schema`: the schemas of the logs.

use clap::{Args, Subcommand};
use hindcast_schemas::{compatibility::check_all, known::KNOWN_SCHEMAS};
use serde::Serialize;

use crate::{
    exit::{Failure, Outcome},
    output::{print, print_json},
};

/// Arguments of `hindcast schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What to do with schemas.
    #[command(subcommand)]
    pub action: SchemaAction,
}

/// What to do with schemas.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum SchemaAction {
    /// Check that every version of every schema can be read by every other
    Check,
}

/// Checks and prints.
///
/// # Errors
/// When the output can't be written; incompatibilities are printed and give exit code 3.
pub fn run(args: &SchemaArgs, json: bool) -> Result<Outcome, Failure> {
    match args.action {
        SchemaAction::Check => check(json),
    }
}

#[derive(Serialize)]
struct Checked {
    versions: usize,
    incompatible: Vec<Pair>,
}

#[derive(Serialize)]
struct Pair {
    schema: &'static str,
    writer_version: u32,
    reader_version: u32,
    conflict: String,
}

fn check(json: bool) -> Result<Outcome, Failure> {
    let found = check_all();
    if json {
        let incompatible = found.iter().map(|found| Pair {
            schema: found.subject.name(),
            writer_version: found.writer_version,
            reader_version: found.reader_version,
            conflict: found.conflict.to_string(),
        });
        print_json(&Checked { versions: KNOWN_SCHEMAS.len(), incompatible: incompatible.collect() })?;
    } else if found.is_empty() {
        let mut text = String::new();
        for known in KNOWN_SCHEMAS {
            text.push_str(&format!("{} version {}\n", known.subject.name(), known.version));
        }
        print(&format!("{text}Every version can be read by every other (FULL_TRANSITIVE).\n"))?;
    } else {
        print(&found.iter().map(|found| format!("{found}\n")).collect::<String>())?;
    }
    Ok(if found.is_empty() { Outcome::Done } else { Outcome::Differences })
}
