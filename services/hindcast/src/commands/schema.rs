//! `hindcast schema`: the schemas of the logs.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hindcast_registry::{ConfluentRegistry, RegistryConfig, register_known};
use hindcast_schemas::{compatibility::check_all, known::KNOWN_SCHEMAS};
use serde::Serialize;

use crate::{
    exit::{Failure, Outcome},
    output::{print, print_json},
    serve::{Overrides, ServeConfig},
};

/// Arguments of `hindcast schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// What to do with schemas.
    #[command(subcommand)]
    pub action: SchemaAction,
}

/// What to do with schemas.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemaAction {
    /// Check that every version of every schema can be read by every other
    Check,
    /// Register every version of every schema of this program in the registry of a configuration
    #[command(after_help = REGISTER_EXAMPLES)]
    Register {
        /// Configuration (TOML) with the section [registry]; its keys can be overridden by environment
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

const REGISTER_EXAMPLES: &str = "\
Examples:
  hindcast schema register --config hindcast.toml
  HINDCAST_REGISTRY__URL=http://127.0.0.1:8081 hindcast schema register";

/// Checks or registers, and prints.
///
/// # Errors
/// When the registry refuses a schema or can't be asked, or the output can't be written; incompatibilities are printed
/// and give exit code 3.
pub fn run(args: &SchemaArgs, json: bool) -> Result<Outcome, Failure> {
    match &args.action {
        SchemaAction::Check => check(json),
        SchemaAction::Register { config } => register(config.as_deref(), json),
    }
}

#[derive(Serialize)]
struct Registered {
    url: String,
    schemas: Vec<RegisteredSchema>,
}

#[derive(Serialize)]
struct RegisteredSchema {
    subject: String,
    version: u32,
    id: u32,
}

fn register(config: Option<&Path>, json: bool) -> Result<Outcome, Failure> {
    let config = ServeConfig::load(config, &Overrides::default())?.registry;
    let url = config.url.clone();
    // To register is what was asked for, whatever processes may do when they start.
    let registry = ConfluentRegistry::new(&RegistryConfig { register: true, ..config }).map_err(Failure::failed)?;
    let used = register_known(&registry).map_err(Failure::failed)?;
    let schemas: Vec<_> = used
        .into_iter()
        .map(|used| RegisteredSchema { subject: used.subject, version: used.version, id: used.id })
        .collect();
    if json {
        print_json(&Registered { url, schemas })?;
    } else {
        let lines = schemas.iter().map(|s| format!("{} version {}: id {}\n", s.subject, s.version, s.id));
        print(&format!("{}All of them are in {url}.\n", lines.collect::<String>()))?;
    }
    Ok(Outcome::Done)
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
