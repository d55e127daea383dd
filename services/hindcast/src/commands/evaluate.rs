//! `hindcast evaluate`: what confidence would have been worth on history.

use std::{fs::File, io::BufReader, path::PathBuf};

use clap::Args;
use hindcast_replay_tools::{
    walk_forward,
    walk_forward::{Judgement, WalkForward, read_experiences},
};

use crate::{
    exit::{Failure, Outcome},
    report::{forecast::Bin, reliability, table::table},
};

const EXAMPLES: &str = "\
Examples:
  hindcast evaluate --walk-forward es_experiences.jsonl
  hindcast evaluate --walk-forward es_experiences.jsonl --json";

/// Arguments of `hindcast evaluate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    /// Walk forward through the signals and outcomes of this file (.jsonl), always scoring before learning
    #[arg(long, value_name = "FILE")]
    pub walk_forward: PathBuf,
}

/// Evaluates and prints.
///
/// # Errors
/// When the file can't be read or used.
pub fn run(args: &EvaluateArgs, json: bool) -> Result<Outcome, Failure> {
    let name = args.walk_forward.display();
    let file = File::open(&args.walk_forward)
        .map_err(|error| Failure::failed(format_args!("{name} can't be read: {error}")))?;
    let rows =
        read_experiences(BufReader::new(file)).map_err(|error| Failure::failed(format_args!("{name}: {error}")))?;
    let walk = WalkForward::default();
    let report = walk_forward(&walk, &rows).map_err(|error| Failure::failed(format_args!("{name}: {error}")))?;
    if json {
        println!("{}", serde_json::to_string(&report).map_err(Failure::failed)?);
        return Ok(Outcome::Done);
    }
    println!(
        "Walking forward through {} signals, scoring from number {} on, with what was known up to every {}th.\n",
        rows.len(),
        walk.start + 1,
        walk.step
    );
    print_judgements(&[("first occurrences", &report.first_occurrences), ("with twins", &report.with_twins)]);
    println!(
        "\nBrier and log loss: smaller is better. base: the running win rate. gain: Brier of the base less that of the\n\
         confidence, with its 95 % interval ({} block-bootstrap resamples, blocks of {}, seed {}).\n\
         A twin is a row that repeats an earlier one: the figures without them are the honest ones.\n",
        walk.resamples, walk.block, walk.seed
    );
    let bins: Vec<Bin> = report.first_occurrences.reliability.iter().map(bin).collect();
    print!("{}", reliability::chart(&bins));
    Ok(Outcome::Done)
}

fn print_judgements(judgements: &[(&str, &Judgement)]) {
    let header = ["", "n", "Brier", "base", "gain", "from", "to", "log loss", "base"];
    let mut table = table(header, 1);
    for (name, judgement) in judgements {
        let [from, to] = judgement.gain_interval;
        let mut row = vec![(*name).to_owned(), judgement.n.to_string()];
        let figures = [judgement.brier, judgement.base_brier, judgement.gain, from, to];
        row.extend(figures.map(|figure| format!("{figure:.4}")));
        row.extend([judgement.log_loss, judgement.base_log_loss].map(|figure| format!("{figure:.4}")));
        table.add_row(row);
    }
    println!("{table}");
}

fn bin(bin: &walk_forward::Bin) -> Bin {
    Bin { lo: bin.lo, hi: bin.hi, n: bin.n, mean_confidence: bin.mean_confidence, win_rate: bin.win_rate }
}
