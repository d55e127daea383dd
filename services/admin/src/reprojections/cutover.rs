//! Changing what is read, and changing it back: one control record each.

use axum::{extract::State, response::Response};
use hindcast_control::{Change, KnownSet, Stage};
use hindcast_journal::Topic;
use hindcast_replay_tools::durable_ends;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::JsonBytes,
    params::PathParams,
    problem::{Problem, ProblemDocument},
};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    MAX_WHY,
    answers::{ReprojectionAnswer, current, folded, lag_events},
    known, record,
};
use crate::{
    fields::Fields,
    problems::{AdminProblems, BodyProblems},
    state::Shared,
};

/// How many records the set may lag, unless asked for otherwise: answers would be as far behind.
const MAX_LAG_EVENTS: u64 = 10_000;
/// How many records may have come since the comparison, unless asked for otherwise.
const MAX_UNVERIFIED_EVENTS: u64 = 1_000_000;

/// More than any fingerprint has.
const MAX_NAME: usize = 100;

/// When to cut over.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct CutoverRequest {
    /// Records that the set may lag.
    #[schema(default = 10_000)]
    max_lag_events: Option<u64>,
    /// Records that may have come since the comparison.
    #[schema(default = 1_000_000)]
    max_unverified_events: Option<u64>,
    /// Why.
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Records nothing.
    dry_run: Option<bool>,
}

/// Which set to leave.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct RollbackRequest {
    /// Fingerprint of the set to leave. Where another one is active nothing is changed, so that a rollback sent twice
    /// does not come back; without it each rollback leaves whatever is active.
    from: Option<String>,
    /// Why.
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Records nothing.
    dry_run: Option<bool>,
}

/// From now on answers are made from a set that was verified. The former one is kept up.
#[utoipa::path(
    post,
    path = "/admin/v1/reprojections/{name}/cutover",
    tag = "admin",
    params(("name" = String, Path, description = "Fingerprint of the set.")),
    request_body = CutoverRequest,
    responses(
        (status = 200, description = "The set, active; or a dry run.", body = ReprojectionAnswer),
        (status = 404, description = "There is no such set.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is not verified, or lags.", body = ProblemDocument, content_type = "application/problem+json"),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn cutover(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(name): PathParams<String>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let mut fields = Fields::of(&body)?;
    let max_lag = fields.number("max_lag_events", 0, u64::MAX).unwrap_or(MAX_LAG_EVENTS);
    let max_unverified = fields.number("max_unverified_events", 0, u64::MAX).unwrap_or(MAX_UNVERIFIED_EVENTS);
    let (why, dry_run) = (fields.text("why", MAX_WHY), fields.flag("dry_run"));
    fields.finish("a cutover")?;
    let known = known(&state, &name)?;
    if known.stage == Stage::Active {
        return current(&state, &name, StatusCode::OK).await;
    }
    check_verified(&state, &known, max_unverified)?;
    activate(&state, &caller, &known, max_lag, why, dry_run).await
}

/// Goes back to the set that was active before. Needs no verification: it was kept up.
#[utoipa::path(
    post,
    path = "/admin/v1/reprojections/rollback",
    tag = "admin",
    request_body = RollbackRequest,
    responses(
        (status = 200, description = "The set that is active again; or a dry run.", body = ReprojectionAnswer),
        (status = 404, description = "There is no set `from`.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "There is none to go back to, or it lags.", body = ProblemDocument, content_type = "application/problem+json"),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn rollback(
    State(state): State<Shared>,
    caller: Caller,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let mut fields = Fields::of(&body)?;
    let (why, dry_run) = (fields.text("why", MAX_WHY), fields.flag("dry_run"));
    let from = fields.text("from", MAX_NAME);
    fields.finish("a rollback")?;
    // What is left and what is gone back to are of one moment: whoever asks at the same time means the same.
    let settings = state.ports.control.settings();
    if !from.is_empty() {
        known(&state, &from)?;
        let active = settings.sets.active().filter(|active| *active.tables.name != *from);
        if let Some(active) = active {
            return current(&state, &active.tables.name, StatusCode::OK).await;
        }
    }
    let previous = settings.sets.previous().ok_or_else(|| Problem::conflict("no set is on standby to go back to"))?;
    activate(&state, &caller, previous, MAX_LAG_EVENTS, why, dry_run).await
}

async fn activate(
    state: &Shared,
    caller: &Caller,
    known: &KnownSet,
    max_lag: u64,
    why: String,
    dry_run: bool,
) -> Result<Response, Problem> {
    let lag = lag_events(&folded(state, &known.tables).await?);
    if lag > max_lag {
        return Err(Problem::conflict(format!(
            "the set lags {lag} records, {max_lag} are allowed; wait until it has caught up"
        )));
    }
    if !dry_run {
        record(state, caller, Change::GenerationsActivated { generations: known.tables.set.clone() }, why).await?;
    }
    current(state, &known.tables.name, StatusCode::OK).await
}

fn check_verified(state: &Shared, known: &KnownSet, max_unverified: u64) -> Result<(), Problem> {
    let settings = state.ports.control.settings();
    let active = settings.generations.as_deref().map(|active| &*active.name);
    let Some(verification) = &known.verification else {
        return Err(Problem::conflict(format!("the set is {} and was not verified; build and verify it", known.stage)));
    };
    if !verification.within_tolerance {
        return Err(Problem::conflict("the set was verified and found to differ; its report says in what"));
    }
    if known.stage != Stage::Standby && active != Some(&verification.compared_with) {
        return Err(Problem::conflict("the set was compared with one that is not active any more; verify it again"));
    }
    let ends = durable_ends(&*state.ports.log, Topic::Journal);
    let verified = verification.next_offsets.iter().copied().chain(std::iter::repeat(0));
    let since: u64 = ends.iter().zip(verified).map(|(end, next)| end.saturating_sub(next)).sum();
    if known.stage != Stage::Standby && since > max_unverified {
        return Err(Problem::conflict(format!(
            "{since} records came since the set was verified, {max_unverified} are allowed; verify it again"
        )));
    }
    Ok(())
}
