//! Progress, on standard error and only on a terminal.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A bar up to `length` of `unit`; invisible when standard error is no terminal.
pub(crate) fn bar(length: u64, unit: &str) -> ProgressBar {
    let template =
        format!("{{bar:30}} {{human_pos}} of {{human_len}} {unit}  {{rate}} {unit}/s  {{eta}} left  {{msg}}");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10));
    // Only a malformed template fails; the bar of the library is good enough then.
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style.with_key("rate", |state: &ProgressState, into: &mut dyn Write| {
            // A rate that can't be written is a bar without one.
            let _ = write!(into, "{:.0}", state.per_sec());
        })),
        Err(_) => bar,
    }
}
