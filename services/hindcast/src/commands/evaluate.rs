//! `hindcast evaluate`: what confidence would have been worth on history.

use std::{
    io::BufReader,
    path::{Path, PathBuf},
};

use clap::Args;
use hindcast_replay_tools::walk_forward::{Judgement, Report, WalkForward, read_experiences, walk_forward};

use crate::{
    exit::{Failure, Outcome},
    output::{print, print_json},
    report::{
        reliability,
        table::{table, thousands},
    },
    text_file,
};

const LONG_HELP: &str = "\
Each line of the file is a signal with its outcome: symbol, signal (LONG or SHORT), entry_price, rsi, vwap,
vwap_distance (a signed fraction), atr, volume_ratio, hour, took_trade, pnl. Every signal is scored on what came
before it, never on itself; the judge is the base rate, the share of wins so far.

Examples:
  hindcast evaluate --walk-forward history.jsonl
  hindcast evaluate --walk-forward history.jsonl.gz --json";

/// Arguments of `hindcast evaluate`.
#[derive(Debug, Args)]
#[command(after_help = LONG_HELP)]
pub struct EvaluateArgs {
    /// Walk forward through the signals and outcomes of this file (JSONL, may be compressed)
    #[arg(long, value_name = "FILE")]
    pub walk_forward: PathBuf,
}

/// Evaluates and prints.
///
/// # Errors
/// When the file can't be read or used.
pub fn run(args: &EvaluateArgs, json: bool) -> Result<Outcome, Failure> {
    let path = &args.walk_forward;
    let text = text_file::open(path)
        .map_err(|error| Failure::failed(format_args!("cannot read {}: {error}", path.display())))?;
    let bad = |error: &dyn std::fmt::Display| Failure::failed(format_args!("{}: {error}", path.display()));
    let rows = read_experiences(BufReader::new(text)).map_err(|error| bad(&error))?;
    let walk = WalkForward::default();
    let report = walk_forward(&walk, &rows).map_err(|error| bad(&error))?;
    if json { print_json(&report) } else { print(&told(path, &walk, &report)) }?;
    Ok(Outcome::Done)
}

fn told(path: &Path, walk: &WalkForward, report: &Report) -> String {
    let mut figures = table(["history", "scored", "", "confidence", "base rate", "gain", "95 % of resamples"], 1);
    for (name, judged) in [("first occurrences", &report.first_occurrences), ("with twins", &report.with_twins)] {
        let Judgement { n, brier, log_loss, base_brier, base_log_loss, gain, gain_interval: [lo, hi], .. } = judged;
        let count = thousands(u64::try_from(*n).unwrap_or(u64::MAX));
        let [brier, base_brier, log_loss, base_log_loss] =
            [brier, base_brier, log_loss, base_log_loss].map(|figure| format!("{figure:.4}"));
        let (gain, interval) = (format!("{gain:+.4}"), format!("{lo:+.4} to {hi:+.4}"));
        figures.add_row([name, count.as_str(), "Brier", &brier, &base_brier, &gain, &interval]);
        figures.add_row(["", "", "log loss", &log_loss, &base_log_loss, "", ""]);
    }
    let sure = if report.first_occurrences.gain_interval.iter().all(|bound| *bound > 0.0) {
        "Confidence knew more than the base rate: the interval of the gain excludes 0."
    } else {
        "Whether confidence knew more than the base rate can't be told: the interval of the gain includes 0."
    };
    format!(
        "{}, walked forward: the first {} signals are only learned from, history grows by {} at a time\n{figures}\n\
         Smaller is better. A twin is a row that repeats an earlier one: what counts are the first occurrences. The gain is\n\
         in Brier, {} resamples of blocks of {} signals, seed {}.\n{sure}\n\nReliability, first occurrences\n{}",
        path.display(),
        walk.start,
        walk.step,
        thousands(u64::from(walk.resamples)),
        walk.block,
        walk.seed,
        reliability::chart(&report.first_occurrences.reliability),
    )
}
