//! What another set of generations would be, and what it would cost to build.

use std::time::Instant;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::FieldError;
use hindcast_control::{Change, GenerationTables, Stage};
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::Topic;
use hindcast_replay_tools::{durable_ends, refold_to};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::JsonBytes,
    headers::HINDCAST_CONTROL,
    problem::{Problem, ProblemDocument},
};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    MAX_WHY, record,
    size::{self, SetSize},
};
use crate::{
    fields::Fields,
    problems::{AdminProblems, BodyProblems},
    state::Shared,
};

/// Records folded in memory to estimate how long all of them take.
const SAMPLE_RECORDS: u64 = 20_000;

/// What is to be another.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct PlanRequest {
    /// What differs from the active set, as a JSON merge patch of it (RFC 7396).
    #[schema(value_type = Object, examples(json!({"book": {"params": {"ring_trades": 512}}})))]
    generations: Value,
    /// Why, for those who read control later.
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Plans nothing, only tells.
    dry_run: Option<bool>,
}

/// What it would be and cost.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanAnswer {
    /// Fingerprint of the set: its name from here on.
    name: String,
    /// Whether it is planned now; not after a dry run.
    planned: bool,
    /// Fold versions and parameters.
    #[schema(value_type = Object)]
    generations: Value,
    /// What differs from the active set.
    changes: Vec<String>,
    /// Tables that will be written.
    tables: Vec<String>,
    /// Journal records to read.
    events: u64,
    /// The same by partition.
    events_by_partition: Vec<u64>,
    /// Rows to write, as many as the active set has.
    rows: u64,
    /// Bytes of their states.
    bytes: u64,
    /// Whether all rows were counted; else there are more.
    rows_are_exact: bool,
    /// Records folded to estimate the time.
    sample_events: u64,
    /// How long that took, seconds.
    sample_seconds: f64,
    /// How long all of them would take at that pace on one core, seconds.
    estimated_seconds: f64,
}

/// Plans another set of generations. Planning the same set again changes nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/reprojections",
    tag = "admin",
    request_body = PlanRequest,
    responses(
        (status = 200, description = "What it would be; planned before, or a dry run.", body = PlanAnswer),
        (status = 201, description = "It is planned.", body = PlanAnswer),
        (status = 409, description = "It can't be planned as things are.", body = ProblemDocument, content_type = "application/problem+json"),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn plan(
    State(state): State<Shared>,
    caller: Caller,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let settings = state.ports.control.settings();
    let active = settings.generations.clone().ok_or_else(|| Problem::unavailable("no generation is active yet"))?;
    let before = serde_json::to_value(&active.set).map_err(|error| Problem::internal(error.to_string()))?;
    let (set, why, dry_run) = read_request(&body, &before)?;
    let tables = GenerationTables::new(set.clone());
    if tables.name == active.name {
        return Err(Problem::validation(vec![FieldError::new(
            "/generations",
            "differ in nothing from the active set",
        )]));
    }
    let after = serde_json::to_value(&set).map_err(|error| Problem::internal(error.to_string()))?;
    let mut changes = Vec::new();
    list_changes("", &before, &after, &mut changes);
    let SetSize { rows, bytes, is_exact: rows_are_exact } = size::of(&state, &active).await?;
    let ends = durable_ends(&*state.ports.log, Topic::Journal);
    let (sample_events, sample_seconds) = sample(&state, &set, &ends).await?;
    let events: u64 = ends.iter().sum();
    #[allow(clippy::cast_precision_loss)] // an estimate
    let estimated_seconds =
        if sample_events == 0 { 0.0 } else { sample_seconds * events as f64 / sample_events as f64 };

    let is_known = settings.sets.get(&tables.name).is_some_and(|known| known.stage != Stage::Dropped);
    let (mut status, mut offset) = (StatusCode::OK, settings.offset);
    if !dry_run && !is_known {
        let change = Change::GenerationsPlanned { name: tables.name.to_string(), generations: set };
        offset = Some(record(&state, &caller, change, why).await?);
        status = StatusCode::CREATED;
    }
    let answer = PlanAnswer {
        name: tables.name.to_string(),
        planned: is_known || !dry_run,
        generations: after,
        changes,
        tables: tables.all().map(|table| table.to_string()).into(),
        events,
        events_by_partition: ends,
        rows,
        bytes,
        rows_are_exact,
        sample_events,
        sample_seconds,
        estimated_seconds,
    };
    Ok((status, [(HINDCAST_CONTROL, HeaderValue::from(offset.unwrap_or_default()))], Json(answer)).into_response())
}

fn read_request(body: &[u8], before: &Value) -> Result<(GenerationSet, String, bool), Problem> {
    let mut fields = Fields::of(body)?;
    let why = fields.text("why", MAX_WHY);
    let dry_run = fields.flag("dry_run");
    let set = match fields.take("generations") {
        Some(patch @ Value::Object(_)) => {
            let mut wanted = before.clone();
            merge(&mut wanted, patch);
            let set = serde_json::from_value::<GenerationSet>(wanted).map_err(|error| error.to_string());
            set.and_then(|mut set| {
                set.book.complete();
                set.fold_params().map(|_| set).map_err(|error| error.to_string())
            })
        }
        Some(_) => Err("must be an object".to_owned()),
        None => Err("is missing".to_owned()),
    };
    if let Err(fault) = &set {
        fields.fault("generations", fault.clone());
    }
    fields.finish("a plan")?;
    Ok((set.map_err(Problem::internal)?, why, dry_run))
}

/// RFC 7396.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// One line for each value that differs.
fn list_changes(path: &str, before: &Value, after: &Value, into: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let of = |values: &serde_json::Map<String, Value>| values.get(name).cloned().unwrap_or(Value::Null);
                list_changes(&path, &of(old), &of(new), into);
            }
        }
        _ if before == after => {}
        _ => into.push(format!("{path}: {before} -> {after}")),
    }
}

/// Folds the first records of each partition in memory; tells how many and how long that took.
async fn sample(state: &Shared, set: &GenerationSet, ends: &[u64]) -> Result<(u64, f64), Problem> {
    let share = SAMPLE_RECORDS / (ends.len() as u64).max(1);
    let ends: Vec<u64> = ends.iter().map(|end| share.min(*end)).collect();
    let (log, codec, set) = (state.ports.log.clone(), state.ports.codec.clone(), set.clone());
    let folded = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        refold_to(&*log, &codec, &set, &ends).map(|folded| (folded.records, begin.elapsed().as_secs_f64()))
    });
    match folded.await {
        Ok(result) => result
            .map_err(|error| Problem::unavailable("history can't be read at present").with_internal(error.to_string())),
        Err(error) => Err(Problem::internal(format!("folding a sample panicked: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn before() -> Value {
        serde_json::to_value(GenerationSet::default()).unwrap()
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let body = br#"{"generations": {"book": {"params": {"ring_trades": 512}}}, "why": "longer", "dry_run": true}"#;
        let (set, why, dry_run) = read_request(body, &before()).unwrap();
        assert_eq!(set.book.params.ring_trades, 512);
        assert_eq!(set.admission, GenerationSet::default().admission);
        assert_eq!((why.as_str(), dry_run), ("longer", true));
        let mut changes = Vec::new();
        list_changes("", &before(), &serde_json::to_value(&set).unwrap(), &mut changes);
        assert_eq!(changes, ["book.params.ring_trades: 256 -> 512"]);
    }

    #[test]
    fn all_faults_at_once() {
        let body = br#"{"generations": {"book": {"fold_version": 99}}, "why": 1, "dry_run": "yes", "x": 1}"#;
        let problem = read_request(body, &before()).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/why", "/dry_run", "/generations", "/x"]);
        for body in [r#"{"generations": {"book": {"rings": 1}}}"#, r#"{"generations": []}"#, "{}"] {
            assert_eq!(read_request(body.as_bytes(), &before()).unwrap_err().errors[0].pointer, "/generations");
        }
    }

    #[test]
    fn merging_is_that_of_the_rfc() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": 3});
        merge(&mut target, json!({"a": {"b": null, "e": {"f": 4}}, "d": [5]}));
        assert_eq!(target, json!({"a": {"c": 2, "e": {"f": 4}}, "d": [5]}));
    }
}
