//! Reliability as a chart: of the signals that were given a confidence, how many won?

use std::fmt::Write;

use hindcast_replay_tools::walk_forward::Bin;

use super::table::{percent, thousands};

/// Characters of a full bar.
const WIDTH: u16 = 50;
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/// Marks the mean confidence of a bin: a trustworthy confidence has every bar end at its mark.
const MARK: char = '│';

/// The chart: for each bin a bar as long as its share of wins, and a mark where its mean confidence is.
#[must_use]
pub fn chart(bins: &[Bin]) -> String {
    let mut text = format!("  confidence  signals     won  0 %{:>1$}\n", "100 %", usize::from(WIDTH) - 3);
    for bin in bins {
        let Bin { lo, hi, n, mean_confidence, win_rate } = bin;
        let count = thousands(u64::try_from(*n).unwrap_or(u64::MAX));
        let bar = bar(*win_rate, *mean_confidence);
        // Writing into a String can't fail.
        let _ = writeln!(text, "   {lo:.1} - {hi:.1}  {count:>7}  {:>7} {bar}", percent(*win_rate));
    }
    let _ = writeln!(
        text,
        "  bar: share that won, {MARK}: mean confidence; the closer they end, the better it is calibrated"
    );
    text
}

fn bar(share: f64, mark: f64) -> String {
    let width = f64::from(WIDTH);
    let eighths = to_index(share * width * 8.0);
    let (full, rest) = (eighths / 8, eighths % 8);
    let marked = to_index(mark * width).min(usize::from(WIDTH) - 1);
    let mut text = String::from(" ");
    for place in 0..usize::from(WIDTH) {
        text.push(match place {
            place if place == marked => MARK,
            place if place < full => '█',
            place if place == full => EIGHTHS.get(rest).copied().unwrap_or(' '),
            _ => ' ',
        });
    }
    text.truncate(text.trim_end().len());
    text
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped before
fn to_index(value: f64) -> usize {
    value.round().clamp(0.0, 1e6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_end_where_their_share_is() {
        assert_eq!(bar(0.5, 0.98), format!(" {}{}│", "█".repeat(25), " ".repeat(24)));
        assert_eq!(bar(1.0, 0.5), format!(" {}│{}", "█".repeat(25), "█".repeat(24)));
        assert_eq!(bar(0.0, 0.0), " │");
        assert_eq!(bar(0.21, 1.0).chars().nth(11), Some('▌'));
    }

    #[test]
    fn a_bin_is_a_line() {
        let bin = Bin { lo: 0.4, hi: 0.5, n: 1234, mean_confidence: 0.46, win_rate: 0.42 };
        let chart = chart(&[bin]);
        assert_eq!(chart.lines().count(), 3);
        assert!(chart.lines().nth(1).unwrap().starts_with("   0.4 - 0.5    1,234   42.0 %  ███"), "{chart}");
    }
}
