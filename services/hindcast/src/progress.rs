//! Progress, on standard error and only on a terminal.

use std::fmt::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

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

/// More parts than this would fill the terminal; then there is a bar of the whole alone.
const MAX_PARTS: usize = 32;

/// A bar of the whole and below it one of each part; invisible when standard error is no terminal.
pub(crate) struct Parts {
    whole: ProgressBar,
    parts: Vec<ProgressBar>,
    drawn: MultiProgress,
}

impl Parts {
    /// Bars of so many parts, numbered and called `name`.
    pub(crate) fn new(count: usize, name: &str, unit: &str) -> Self {
        let drawn = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let whole = drawn.add(bar(0, unit));
        let count = if count > MAX_PARTS { 0 } else { count };
        let parts = (0..count).map(|number| {
            let part = drawn.add(ProgressBar::new(0).with_prefix(format!("{name} {number}")));
            match ProgressStyle::with_template("{bar:30} {percent:>3} % of {prefix}") {
                Ok(style) => part.with_style(style),
                Err(_) => part,
            }
        });
        let parts = parts.collect();
        Self { whole, parts, drawn }
    }

    /// How far each part is: done, and all there is to do.
    pub(crate) fn set(&self, parts: impl Iterator<Item = (u64, u64)> + Clone) {
        let (done, all) = parts.clone().fold((0, 0), |(done, all), part| (done + part.0, all + part.1));
        self.whole.set_length(all);
        self.whole.set_position(done);
        for (bar, (done, all)) in self.parts.iter().zip(parts) {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&self) {
        // What can't be drawn on can't be cleared either.
        let _ = self.drawn.clear();
    }
}
