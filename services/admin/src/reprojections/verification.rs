//! Comparing a set with the active one. It takes as long as reading all rows and folding history once, so it runs beside
//! the request that asks for it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_control::{Change, GenerationTables, KnownSet, Requested, Stage, VerificationSummary};
use hindcast_replay_tools::reproject::{
    Patience, Tolerance, Verification, compare_rows, effect_on_answers, other_verdicts,
};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::JsonBytes,
    clock::now_us,
    params::PathParams,
    problem::{Problem, ProblemDocument},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    MAX_WHY,
    answers::{folded, lag_events},
    known,
};
use crate::{
    fields::Fields,
    problems::{AdminProblems, BodyProblems},
    state::Shared,
};

/// Decisions derived again, unless asked for otherwise.
const DECISIONS: u64 = 10_000;
const MOST_DECISIONS: u64 = 1_000_000;
/// How long rows may take to be of the same position, unless asked for otherwise, seconds.
const PATIENCE_S: u64 = 60;
/// A set that lags by more is not compared: its rows would not settle.
const MAX_LAG_EVENTS: u64 = 100_000;

/// What to compare.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct VerifyRequest {
    /// How many of the latest decisions are derived again.
    #[schema(default = 10_000, maximum = 1_000_000)]
    decisions: Option<u64>,
    /// Rows that may differ.
    #[schema(default = 0)]
    different_rows: Option<u64>,
    /// Rows that may never have been of the same position.
    #[schema(default = 0)]
    unsettled_rows: Option<u64>,
    /// Share of the decisions that may have another action.
    #[schema(default = 1.0, minimum = 0.0, maximum = 1.0)]
    flipped_share: Option<f64>,
    /// How long rows may take to be of the same position, seconds.
    #[schema(default = 60, maximum = 3_600)]
    patience_s: Option<u64>,
    /// Why.
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Compares, but records nothing.
    dry_run: Option<bool>,
}

/// A comparison and what it found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct VerificationAnswer {
    /// `running`, `done` or `failed`.
    #[schema(examples("running"))]
    state: &'static str,
    /// Rows compared so far.
    compared_rows: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The report, once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    report: Option<Verification>,
}

/// Comparisons of this process, the latest one of each set.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<BTreeMap<String, Arc<Job>>>);

#[derive(Debug, Default)]
struct Job {
    compared_rows: AtomicU64,
    outcome: Mutex<Option<Result<Verification, String>>>,
}

/// What was asked for.
struct Asked {
    decisions: usize,
    tolerance: Tolerance,
    patience: Patience,
    why: String,
    dry_run: bool,
}

/// Begins to compare a set with the active one. While that is under way it is not begun again.
#[utoipa::path(
    post,
    path = "/admin/v1/reprojections/{name}/verify",
    tag = "admin",
    params(("name" = String, Path, description = "Fingerprint of the set.")),
    request_body = VerifyRequest,
    responses(
        (status = 202, description = "It is under way.", body = VerificationAnswer),
        (status = 404, description = "There is no such set.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It can't be compared as things are.", body = ProblemDocument, content_type = "application/problem+json"),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn verify(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(name): PathParams<String>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let asked = read_request(&body)?;
    let known = known(&state, &name)?;
    if !matches!(known.stage, Stage::Verifying | Stage::Ready | Stage::Standby) {
        return Err(Problem::conflict(format!("the set is {}; it is compared once it is built", known.stage)));
    }
    let settings = state.ports.control.settings();
    let active = settings.generations.clone().ok_or_else(|| Problem::unavailable("no generation is active yet"))?;
    let lag = lag_events(&folded(&state, &known.tables).await?);
    if lag > MAX_LAG_EVENTS {
        return Err(Problem::conflict(format!("the set lags {lag} records; wait until it has caught up")));
    }
    let (job, is_new) = state.verifications.begin(&name);
    if is_new {
        let (state, job, by) = (state.clone(), Arc::clone(&job), caller.key.id.to_string());
        tokio::spawn(async move {
            let outcome = run(&state, &job, &active, &known, asked, by).await;
            if let Err(detail) = &outcome {
                tracing::warn!(generation = &*known.tables.name, detail, "a verification failed");
            }
            *job.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        });
    }
    Ok((StatusCode::ACCEPTED, Json(job.answer())).into_response())
}

/// The latest comparison of a set by the process that answers.
#[utoipa::path(
    get,
    path = "/admin/v1/reprojections/{name}/verification",
    tag = "admin",
    params(("name" = String, Path, description = "Fingerprint of the set.")),
    responses(
        (status = 200, description = "The comparison.", body = VerificationAnswer),
        (status = 404, description = "This process has compared no such set.", body = ProblemDocument, content_type = "application/problem+json"),
        AdminProblems,
    ),
)]
pub(crate) async fn verification(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(name): PathParams<String>,
) -> Result<Json<VerificationAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    let job = state.verifications.get(&name);
    let job = job.ok_or_else(|| Problem::not_found("this process has compared no such set; verify it"))?;
    Ok(Json(job.answer()))
}

fn read_request(body: &[u8]) -> Result<Asked, Problem> {
    let mut fields = Fields::of(body)?;
    let decisions = fields.number("decisions", 0, MOST_DECISIONS).unwrap_or(DECISIONS);
    let allowed = Tolerance::default();
    let tolerance = Tolerance {
        different_rows: fields.number("different_rows", 0, u64::MAX).unwrap_or(allowed.different_rows),
        unsettled_rows: fields.number("unsettled_rows", 0, u64::MAX).unwrap_or(allowed.unsettled_rows),
        flipped_share: fields.share("flipped_share").unwrap_or(allowed.flipped_share),
    };
    let patience = Patience(Duration::from_secs(fields.number("patience_s", 0, 3_600).unwrap_or(PATIENCE_S)));
    let (why, dry_run) = (fields.text("why", MAX_WHY), fields.flag("dry_run"));
    fields.finish("a verification")?;
    Ok(Asked { decisions: usize::try_from(decisions).unwrap_or(usize::MAX), tolerance, patience, why, dry_run })
}

async fn run(
    state: &Shared,
    job: &Arc<Job>,
    active: &GenerationTables,
    known: &KnownSet,
    asked: Asked,
    by: String,
) -> Result<Verification, String> {
    let ports = &state.ports;
    let (old, new) = (active.set.clone(), known.tables.set.clone());
    // Before anything is compared: what comes later may be compared, this is for sure.
    let folded = folded(state, &known.tables).await.map_err(|problem| problem.detail.clone())?;
    let counted = |rows| job.compared_rows.store(rows, Ordering::Relaxed);
    let rows = compare_rows(&*ports.views, &old, &new, asked.patience, counted);
    let rows = rows.await.map_err(|error| error.detail)?;
    let (log, codec) = (Arc::clone(&ports.log), Arc::clone(&ports.codec));
    let replayed = tokio::task::spawn_blocking(move || {
        let effect = effect_on_answers(&*log, &codec, &new, asked.decisions)?;
        Ok::<_, hindcast_replay_tools::ReplayError>((effect, other_verdicts(&*log, &codec, &old, &new)?))
    });
    let replayed = replayed.await.map_err(|error| format!("replaying panicked: {error}"))?;
    let (effect, verdicts) = replayed.map_err(|error| error.to_string())?;
    let verification = Verification {
        old: active.name.to_string(),
        new: known.tables.name.to_string(),
        next_offsets: folded.iter().map(|partition| partition.next_offset).collect(),
        rows,
        effect,
        verdicts,
        tolerance: asked.tolerance,
        within_tolerance: false,
    }
    .judged();
    if !asked.dry_run {
        let change =
            Change::GenerationsVerified { name: verification.new.clone(), verification: summary(&verification) };
        let based_on = ports.control.last_change(&change.entity());
        let recorded = ports.control.change(Requested { change, based_on, by, why: asked.why, at: now_us() });
        recorded.await.map_err(|error| error.to_string())?;
    }
    Ok(verification)
}

fn summary(verification: &Verification) -> VerificationSummary {
    VerificationSummary {
        compared_with: verification.old.clone(),
        next_offsets: verification.next_offsets.clone(),
        rows: verification.compared_rows(),
        different: verification.different_rows() + verification.unsettled_rows(),
        decisions: verification.effect.decisions,
        flipped: verification.effect.flipped(),
        within_tolerance: verification.within_tolerance,
    }
}

impl Jobs {
    /// The running comparison of a set, or a new one.
    fn begin(&self, name: &str) -> (Arc<Job>, bool) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = jobs.get(name).filter(|job| job.is_running()) {
            return (Arc::clone(running), false);
        }
        let job = Arc::new(Job::default());
        jobs.insert(name.to_owned(), Arc::clone(&job));
        (job, true)
    }

    fn get(&self, name: &str) -> Option<Arc<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl Job {
    fn is_running(&self) -> bool {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn answer(&self) -> VerificationAnswer {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (state, detail, report) = match outcome {
            None => ("running", None, None),
            Some(Ok(report)) => ("done", None, Some(report)),
            Some(Err(detail)) => ("failed", Some(detail), None),
        };
        VerificationAnswer { state, compared_rows: self.compared_rows.load(Ordering::Relaxed), detail, report }
    }
}
