//! `hindcast reproject`: change a projection without stopping anything, through the admin API.

mod answers;
mod tables;
mod wait;

use std::{io::IsTerminal, path::PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use self::answers::{Plan, Reprojection, Reprojections};
use crate::{
    cli::ServerArgs,
    client::{Call, Client, RetryLimits},
    exit::{Failure, Outcome},
    output::{print, print_json},
};

const PATH: &str = "/admin/v1/reprojections";

const EXAMPLES: &str = "\
Examples:
  export HINDCAST_API_KEY=...                     a key with the scope admin
  hindcast reproject plan --set book.params.ring_trades=512 --why \"longer memory\"
  hindcast reproject build NAME --max-rate 50000
  hindcast reproject verify NAME --html report.html
  hindcast reproject cutover NAME
  hindcast reproject rollback
  hindcast reproject drop NAME

A set of generations is named by the fingerprint that `plan` tells. docs/runbooks/reproject.md goes through all of it.";

/// Arguments of `hindcast reproject`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReprojectArgs {
    /// The running system.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The step.
    #[command(subcommand)]
    pub step: ReprojectStep,
}

/// Why, and whether only to look.
#[derive(Debug, Clone, Args)]
pub struct StepArgs {
    /// Why, for those who read control later
    #[arg(long, default_value = "", value_name = "TEXT", hide_default_value = true)]
    pub why: String,
    /// Check everything, change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The steps, in their order.
#[derive(Debug, Subcommand)]
pub enum ReprojectStep {
    /// Say what is to be another, and see what it would cost
    Plan {
        /// What differs from the active set, such as book.params.ring_trades=512
        #[arg(long = "set", value_name = "FIELD=VALUE", required = true, value_parser = setting)]
        settings: Vec<(String, Value)>,
        /// Why, and whether only to look.
        #[command(flatten)]
        step: StepArgs,
    },
    /// Fold history into a planned set, and wait until that is done
    Build {
        /// The set
        name: String,
        /// Records a second at most
        #[arg(long, value_name = "N")]
        max_rate: Option<u32>,
        /// Don't wait
        #[arg(long)]
        no_wait: bool,
        /// Why, and whether only to look.
        #[command(flatten)]
        step: StepArgs,
    },
    /// Compare a built set with the active one; exit code 3 if it differs by more than is allowed
    Verify {
        /// The set
        name: String,
        /// How many of the latest decisions are derived again
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        decisions: u64,
        /// Rows that may differ
        #[arg(long, value_name = "N", default_value_t = 0)]
        different_rows: u64,
        /// Rows that may never have been of the same position
        #[arg(long, value_name = "N", default_value_t = 0)]
        unsettled_rows: u64,
        /// Share of the decisions that may have another action, 0 to 1
        #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
        flipped_share: f64,
        /// Write the report as a page for a browser too
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Why, and whether only to look.
        #[command(flatten)]
        step: StepArgs,
    },
    /// Answer from a verified set from now on
    Cutover {
        /// The set
        name: String,
        /// Records that the set may lag
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        max_lag_events: u64,
        /// Records that may have come since the set was verified
        #[arg(long, value_name = "N", default_value_t = 1_000_000)]
        max_unverified_events: u64,
        /// Why, and whether only to look.
        #[command(flatten)]
        step: StepArgs,
    },
    /// Answer from the set before again
    Rollback {
        /// Why, and whether only to look.
        #[command(flatten)]
        step: StepArgs,
    },
    /// Remove a set that is not active
    Drop {
        /// The set
        name: String,
        /// Don't ask
        #[arg(long)]
        yes: bool,
        /// Why, and whether only to look.
        #[command(flatten)]
        step: StepArgs,
    },
    /// List all sets and where they stand
    Status {
        /// Count rows and bytes too, which reads them
        #[arg(long)]
        sizes: bool,
    },
}

/// Takes the step.
///
/// # Errors
/// When the system can't be reached or refuses.
pub async fn run(args: ReprojectArgs, json: bool) -> Result<Outcome, Failure> {
    let client = args.server.client(RetryLimits::interactive())?;
    match args.step {
        ReprojectStep::Plan { settings, step } => {
            let body = step.body(json!({"generations": patch(settings)?}));
            let plan: Value = post(&client, PATH.to_owned(), &body).await?;
            if json { print_json(&plan)? } else { print(&tables::plan(&read::<Plan>(plan)?))? }
        }
        ReprojectStep::Build { name, max_rate, no_wait, step } => {
            let body = step.body(json!({"max_rate": max_rate}));
            let mut set: Value = post(&client, format!("{PATH}/{name}/build"), &body).await?;
            if !no_wait && !step.dry_run {
                set = wait::until_built(&client, &name, set).await?;
            }
            show(set, json)?;
        }
        ReprojectStep::Verify { name, decisions, different_rows, unsettled_rows, flipped_share, html, step } => {
            let body = step.body(json!({
                "decisions": decisions,
                "different_rows": different_rows,
                "unsettled_rows": unsettled_rows,
                "flipped_share": flipped_share,
            }));
            let _: Value = post(&client, format!("{PATH}/{name}/verify"), &body).await?;
            let verification = wait::until_verified(&client, &name).await?;
            if let Some(file) = html {
                std::fs::write(&file, verification.html())
                    .map_err(|error| Failure::failed(format!("{} can't be written: {error}", file.display())))?;
            }
            if json {
                print_json(&verification)?
            } else {
                print(&tables::verification(&verification))?
            }
            return Ok(if verification.within_tolerance { Outcome::Done } else { Outcome::Differences });
        }
        ReprojectStep::Cutover { name, max_lag_events, max_unverified_events, step } => {
            let body =
                step.body(json!({"max_lag_events": max_lag_events, "max_unverified_events": max_unverified_events}));
            show(post(&client, format!("{PATH}/{name}/cutover"), &body).await?, json)?;
        }
        ReprojectStep::Rollback { step } => {
            // The set is named, so that a rollback that is sent again does not come back to it.
            let sets: Reprojections = read(client.fetch(&Call::get(PATH)).await?)?;
            let body = step.body(json!({"from": sets.active}));
            show(post(&client, format!("{PATH}/rollback"), &body).await?, json)?;
        }
        ReprojectStep::Drop { name, yes, step } => {
            if !yes && !step.dry_run {
                confirm(&name)?;
            }
            show(post(&client, format!("{PATH}/{name}/drop"), &step.body(json!({}))).await?, json)?;
        }
        ReprojectStep::Status { sizes } => {
            let path = if sizes { format!("{PATH}?sizes=true") } else { PATH.to_owned() };
            let sets: Value = client.fetch(&Call::get(path)).await?;
            if json { print_json(&sets)? } else { print(&tables::status(&read::<Reprojections>(sets)?))? }
        }
    }
    Ok(Outcome::Done)
}

impl StepArgs {
    fn body(&self, mut fields: Value) -> Value {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("why".to_owned(), self.why.clone().into());
            fields.insert("dry_run".to_owned(), self.dry_run.into());
        }
        fields
    }
}

/// Every step can be taken twice: it is sent again when it is not known whether it arrived.
async fn post(client: &Client, path: String, body: &Value) -> Result<Value, Failure> {
    Ok(client.fetch(&Call::post_event(path, body.to_string())).await?)
}

fn show(set: Value, json: bool) -> Result<(), Failure> {
    if json { print_json(&set) } else { print(&tables::one(&read::<Reprojection>(set)?)) }
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| Failure::failed(format!("the answer is not understood: {error}")))
}

/// Reads `book.params.ring_trades=512`; what is no JSON is a text.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (path, value) = text.split_once('=').ok_or("give a field and a value, such as book.params.ring_trades=512")?;
    if path.split('.').any(str::is_empty) {
        return Err(format!("{path:?} is no field; fields of fields are written with dots"));
    }
    Ok((path.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()))))
}

/// One object of all settings.
fn patch(settings: Vec<(String, Value)>) -> Result<Value, Failure> {
    let mut patch = Value::Object(Map::new());
    for (path, value) in settings {
        let mut target = &mut patch;
        for name in path.split('.') {
            let object = target
                .as_object_mut()
                .ok_or_else(|| Failure::usage(format!("--set {path}: a part of it is set to a value already")))?;
            target = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
        }
        *target = value;
    }
    Ok(patch)
}

fn confirm(name: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("drop removes tables for good; say --yes where nobody can be asked"));
    }
    eprint!("The tables of {name} are removed for good. Type its name to go on: ");
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed).map_err(|error| Failure::failed(format!("no answer: {error}")))?;
    if typed.trim() == name { Ok(()) } else { Err(Failure::failed("nothing was dropped")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_make_one_patch() {
        let settings = ["book.params.ring_trades=512", "book.fold_version=2", "book.params.zone=UTC"].map(setting);
        let patch = patch(settings.into_iter().collect::<Result<_, _>>().unwrap()).unwrap();
        assert_eq!(patch, json!({"book": {"fold_version": 2, "params": {"ring_trades": 512, "zone": "UTC"}}}));
        assert!(setting("ring_trades").is_err());
        assert!(setting(".x=1").is_err());
        let conflict = vec![("a".to_owned(), json!(1)), ("a.b".to_owned(), json!(2))];
        assert_eq!(super::patch(conflict).unwrap_err().code(), 2);
    }
}
