//! The steps one after the other.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::{
    failure::StepResult,
    report::{Outcome, Table, say},
    step::Step,
};

/// Runs the steps, all if none is named.
pub(crate) fn run(only: &[Step]) -> ExitCode {
    let table = run_each(&chosen(only), Step::run);
    say(&format!("\n{table}"));
    if table.all_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// In the order of all steps, whatever order they were named in.
fn chosen(only: &[Step]) -> Vec<Step> {
    Step::ALL.into_iter().filter(|step| only.is_empty() || only.contains(step)).collect()
}

fn run_each(steps: &[Step], step_run: impl Fn(Step) -> StepResult) -> Table {
    let mut table = Table::default();
    for (number, step) in steps.iter().copied().enumerate() {
        if !table.all_ok() {
            table.add(step, Outcome::NotRun, Duration::ZERO);
            continue;
        }
        say(&format!("\n[{}/{}] {}", number + 1, steps.len(), step.name()));
        let start = Instant::now();
        let result = step_run(step);
        let took = start.elapsed();
        let seconds = took.as_secs_f64();
        match result {
            Ok(()) => {
                say(&format!("{}: ok, {seconds:.1} s", step.name()));
                table.add(step, Outcome::Ok, took);
            }
            Err(failure) => {
                say(&format!("{}: FAILED after {seconds:.1} s: {failure}", step.name()));
                table.add(step, Outcome::Failed, took);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::failure::Failure;

    #[test]
    fn the_first_failure_ends_it() {
        let ran = RefCell::new(Vec::new());
        let table = run_each(&Step::ALL, |step| {
            ran.borrow_mut().push(step);
            if step == Step::Dependencies { Err(Failure::new("a licence")) } else { Ok(()) }
        });
        assert_eq!(*ran.borrow(), [Step::Format, Step::Lint, Step::Dependencies]);
        assert!(!table.all_ok());
        let text = table.to_string();
        assert!(text.contains("dependencies  FAILED") && text.contains("bench         not run"), "{text}");
    }

    #[test]
    fn named_steps_run_in_their_order() {
        assert_eq!(chosen(&[]), Step::ALL);
        assert_eq!(chosen(&[Step::Bench, Step::Format, Step::Bench]), [Step::Format, Step::Bench]);
    }
}
