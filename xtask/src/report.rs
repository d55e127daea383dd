//! What is printed.

use std::{fmt, io::Write as _, time::Duration};

use crate::step::Step;

/// Prints a line. Whoever reads may have gone away; the exit code still tells how it went.
pub(crate) fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It found nothing wrong.
    Ok,
    /// It did.
    Failed,
    /// An earlier one did.
    NotRun,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::NotRun => "not run",
        })
    }
}

/// The table at the end.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(Step, Outcome, Duration)>,
}

impl Table {
    pub(crate) fn add(&mut self, step: Step, outcome: Outcome, took: Duration) {
        self.rows.push((step, outcome, took));
    }

    pub(crate) fn all_ok(&self) -> bool {
        self.rows.iter().all(|(_, outcome, _)| *outcome == Outcome::Ok)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14}{:<10}{:>9}", "step", "result", "seconds")?;
        for (step, outcome, took) in &self.rows {
            writeln!(f, "{:<14}{outcome:<10}{:>9.1}", step.name(), took.as_secs_f64())?;
        }
        let total: Duration = self.rows.iter().map(|(_, _, took)| *took).sum();
        write!(f, "{:<24}{:>9.1}", "total", total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::default();
        assert!(table.all_ok());
        table.add(Step::Format, Outcome::Ok, Duration::from_millis(1_240));
        assert!(table.all_ok());
        table.add(Step::Dependencies, Outcome::Failed, Duration::from_millis(123_456));
        table.add(Step::Bench, Outcome::NotRun, Duration::ZERO);
        assert!(!table.all_ok());
        let lines = [
            "step          result      seconds",
            "format        ok              1.2",
            "dependencies  FAILED        123.5",
            "bench         not run         0.0",
            "total                       124.7",
        ];
        assert_eq!(table.to_string(), lines.join("\n"));
    }
}
