//! `hindcast bench`: the benchmarks, each beside its own limit.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};

use crate::{
    bench::{self, Size, report::Report},
    exit::{Failure, Outcome},
    serve::{Overrides, ServeConfig},
};

const EXAMPLES: &str = "\
Examples:
  hindcast bench --list
  hindcast bench confidence
  hindcast bench ingest --seconds 5 --json
  hindcast bench reproject --seconds 20 --users 330000   a million rows, and the memory that took
  hindcast bench replay --config infra/local/kafka.toml   on the services of that configuration";

/// Arguments of `hindcast bench`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    /// Which benchmark; --list names them
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub name: Option<String>,
    /// How long each side is measured
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// Users of the history that `reproject` builds from; 500 when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub users: Option<u32>,
    /// Run on the engines and with the settings of a configuration of `hindcast serve` (TOML; its keys can be overridden
    /// by environment), in topics, a consumer group and a keyspace of its own, removed at the end; on the embedded engine
    /// with the defaults when absent
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the names of the benchmarks
    #[arg(long, conflicts_with = "name")]
    pub list: bool,
}

/// Measures and prints.
///
/// # Errors
/// When there is no such benchmark or it can't be run.
pub async fn run(args: BenchArgs, json: bool) -> Result<Outcome, Failure> {
    let Some(name) = args.name.filter(|_| !args.list) else {
        bench::NAMES.iter().for_each(|name| println!("{name}"));
        return Ok(Outcome::Done);
    };
    let config = match &args.config {
        Some(file) => ServeConfig::load(Some(file), &Overrides::default())?,
        // Whatever the environment sets for a service, so that figures of two runs can be compared.
        None => ServeConfig::default(),
    };
    let size = Size { measure: Duration::from_secs(args.seconds.into()), users: args.users };
    let report = Box::pin(bench::run(&name, size, config)).await?;
    if json {
        println!("{}", serde_json::to_string(&report).map_err(Failure::failed)?);
    } else {
        print_report(&report);
    }
    Ok(Outcome::Done)
}

fn print_report(report: &Report) {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let rate = |per_second: f64| format!("{per_second:.0}/s");
    let mut row = |name: &str, value: String, note: &str| {
        table.add_row([name, &value, note]);
    };
    row("ours", rate(report.ours.per_second), &report.engine);
    row("limit", rate(report.limit.per_second), report.limit.what);
    row("ratio", format!("{:.2}", report.ratio), &format!("first target {:.2}", report.target));
    let latency = |us: Option<u64>| us.map(|us| format!("{us} us"));
    for (name, us) in [("p50", report.ours.p50_us), ("p99", report.ours.p99_us), ("p99.9", report.ours.p999_us)] {
        if let Some(value) = latency(us) {
            row(name, value, "saturated");
        }
    }
    if let Some(half) = report.half_load {
        let note = format!("at {:.0}/s, beside {} events/s", half.per_second, half.background_events_per_second);
        for (name, us) in [("p50", half.p50_us), ("p99", half.p99_us), ("p99.9", half.p999_us)] {
            row(name, format!("{us} us"), &note);
        }
    }
    for (name, value) in &report.details {
        row(name, value.to_string(), "");
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}\n{table}", report.bench);
}
