//! Answers for people.

use hindcast_replay_tools::reproject::Verification;

use super::answers::{Plan, Reprojection, Reprojections};
use crate::report::table::{percent, table, thousands};

pub(super) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        text += &format!("  {}\n", shortened(change));
    }
    let at_least = if plan.rows_are_exact { "" } else { "at least " };
    text += &format!(
        "\n{} events to read; {at_least}{} rows, {:.1} MB to write into {}; about {} on one core\n",
        thousands(plan.events),
        thousands(plan.rows),
        megabytes(plan.bytes),
        plan.tables.join(", "),
        duration(plan.estimated_seconds),
    );
    text += &if plan.planned {
        format!("\nPlanned as {0}. Next: hindcast reproject build {0}\n", plan.name)
    } else {
        format!("\nWould be planned as {}; nothing was recorded.\n", plan.name)
    };
    text
}

pub(super) fn status(sets: &Reprojections) -> String {
    let mut table = table(["name", "stage", "since", "verified", "rows", "lag, events", "done in"], 4);
    for set in &sets.reprojections {
        let since = set.steps.last().map_or("", |step| &step.at);
        let is_previous = sets.previous.as_ref() == Some(&set.name);
        let stage = if is_previous { format!("{} (rollback)", set.stage) } else { set.stage.clone() };
        let rows = set.size.as_ref().map_or_else(String::new, |size| {
            let more = if size.is_exact { "" } else { "more than " };
            format!("{more}{}, {:.1} MB", thousands(size.rows), megabytes(size.bytes))
        });
        let done_in = set.eta_seconds.map_or_else(String::new, duration);
        table.add_row([
            &set.name,
            &stage,
            to_the_second(since),
            &verified(set),
            &rows,
            &thousands(set.lag_events),
            &done_in,
        ]);
    }
    format!("{table}\n")
}

pub(super) fn one(set: &Reprojection) -> String {
    let mut text = format!("{} is {}, {} events behind\n", set.name, set.stage, thousands(set.lag_events));
    text += &format!("tables: {}\n", set.tables.join(", "));
    let mut steps = table(["at", "stage", "control", "by", "why"], 5);
    for step in &set.steps {
        let offset = step.control_offset.to_string();
        steps.add_row([to_the_second(&step.at), &step.stage, &offset, &step.by, &step.why]);
    }
    text += &format!("{steps}\n");
    let name = &set.name;
    match set.stage.as_str() {
        "planned" => text += &format!("Next: hindcast reproject build {name}\n"),
        "verifying" => text += &format!("Next: hindcast reproject verify {name}\n"),
        "ready" => text += &format!("Next: hindcast reproject cutover {name}\n"),
        _ => {}
    }
    text
}

pub(super) fn verification(found: &Verification) -> String {
    let header = ["projection", "compared", "different", "only old", "only new", "unsettled"];
    let mut rows = table(header, 1);
    for projection in &found.rows {
        rows.add_row([
            &projection.projection,
            &thousands(projection.compared),
            &thousands(projection.different),
            &thousands(projection.only_old),
            &thousands(projection.only_new),
            &thousands(projection.unsettled),
        ]);
    }
    let mut text = format!("{rows}\n");
    for projection in &found.rows {
        for left_out in &projection.not_compared {
            text += &format!("not compared of {}: {left_out}\n", projection.projection);
        }
    }
    if found.rows.iter().any(|projection| !projection.differences.is_empty()) {
        let mut differences = table(["row", "field", "old", "new"], 4);
        for projection in &found.rows {
            for difference in &projection.differences {
                let row = format!("{} {}", projection.projection, difference.key);
                differences.add_row([&row, &difference.field, &difference.old, &difference.new]);
            }
        }
        text += &format!("\nFirst differences\n{differences}\n");
    }
    let effect = &found.effect;
    text += &format!(
        "\nOf the last {} decisions {} would have another confidence (mean change {:.4}), {} ({}) another action: \
         {} SKIP to TAKE, {} TAKE to SKIP\n",
        thousands(effect.decisions),
        thousands(effect.changed),
        effect.mean_absolute_change,
        thousands(effect.flipped()),
        percent(effect.flipped_share()),
        thousands(effect.skip_to_take),
        thousands(effect.take_to_skip),
    );
    let mut sizes = table(["change of confidence", "decisions"], 1);
    for (bound, count) in &effect.sizes {
        let label = bound.map_or_else(|| "more".to_owned(), |bound| format!("below {bound}"));
        sizes.add_row([label, thousands(*count)]);
    }
    text += &format!("{sizes}\n");
    if found.verdicts.different > 0 {
        let mut verdicts = table(["position", "old", "new"], 3);
        for verdict in &found.verdicts.listed {
            verdicts.add_row([&verdict.position, &verdict.old, &verdict.new]);
        }
        text += &format!("\n{} records with another verdict\n{verdicts}\n", thousands(found.verdicts.different));
    }
    text += &if found.within_tolerance {
        format!("\nWithin tolerance. Next: hindcast reproject cutover {}\n", found.new)
    } else {
        "\nNOT within tolerance: cutover refuses this set.\n".to_owned()
    };
    text
}

/// A line that a person can look over; `--json` has all of it.
fn shortened(change: &str) -> String {
    const MOST_CHARS: usize = 160;
    match change.char_indices().nth(MOST_CHARS) {
        None => change.to_owned(),
        Some((end, _)) => format!("{}… (--json shows all)", change.get(..end).unwrap_or(change)),
    }
}

fn verified(set: &Reprojection) -> String {
    let Some(found) = &set.verification else { return String::new() };
    if found.within_tolerance {
        format!("{} rows, {} of {} answers flip", thousands(found.rows), found.flipped, found.decisions)
    } else {
        format!("{} of {} rows differ", thousands(found.different), thousands(found.rows))
    }
}

#[allow(clippy::cast_precision_loss)] // for people
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

/// A time without its fraction of a second.
fn to_the_second(time: &str) -> &str {
    time.get(..19).unwrap_or(time)
}
