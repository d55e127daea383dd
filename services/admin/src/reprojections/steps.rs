//! Building and dropping.

use axum::{extract::State, response::Response};
use hindcast_control::{Change, Stage, generations::LEAST_STANDBY_S};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::JsonBytes,
    clock::now_us,
    params::PathParams,
    problem::{Problem, ProblemDocument},
};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{MAX_WHY, answers::ReprojectionAnswer, answers::current, known, record};
use crate::{
    fields::Fields,
    problems::{AdminProblems, BodyProblems},
    state::Shared,
};

/// Fastest rate that can be asked for.
const MOST_PER_SECOND: u64 = 1_000_000_000;

/// How to build.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct BuildRequest {
    /// Records a second at most.
    #[schema(minimum = 1)]
    max_rate: Option<u32>,
    /// Why.
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Records nothing.
    dry_run: Option<bool>,
}

/// Why a step is taken.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // described here, read field by field so that all faults are told at once
pub(crate) struct StepRequest {
    /// Why.
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Records nothing.
    dry_run: Option<bool>,
}

/// Has a builder fold history into a planned set; another rate changes that of a running build. Once history is folded
/// this changes nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/reprojections/{name}/build",
    tag = "admin",
    params(("name" = String, Path, description = "Fingerprint of the set.")),
    request_body = BuildRequest,
    responses(
        (status = 200, description = "It is built already, or a dry run.", body = ReprojectionAnswer),
        (status = 202, description = "It is being built.", body = ReprojectionAnswer),
        (status = 404, description = "There is no such set.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It can't be built as things are.", body = ProblemDocument, content_type = "application/problem+json"),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn build(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(name): PathParams<String>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let mut fields = Fields::of(&body)?;
    let max_rate = fields.number("max_rate", 1, MOST_PER_SECOND).and_then(|rate| u32::try_from(rate).ok());
    let (why, dry_run) = (fields.text("why", MAX_WHY), fields.flag("dry_run"));
    fields.finish("a build")?;
    let known = known(&state, &name)?;
    match known.stage {
        Stage::Planned => {}
        Stage::Building if known.max_rate != max_rate => {}
        Stage::Building => return current(&state, &name, StatusCode::ACCEPTED).await,
        Stage::Dropped => return Err(Problem::conflict("the set is dropped; plan it again")),
        Stage::Verifying | Stage::Ready | Stage::Active | Stage::Standby => {
            return current(&state, &name, StatusCode::OK).await;
        }
    }
    if dry_run {
        return current(&state, &name, StatusCode::OK).await;
    }
    record(&state, &caller, Change::GenerationsBuilding { name: name.clone(), max_rate }, why).await?;
    current(&state, &name, StatusCode::ACCEPTED).await
}

/// Drops a set that is not active, and was not within the last minute: its tables are removed. Dropping it again changes
/// nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/reprojections/{name}/drop",
    tag = "admin",
    params(("name" = String, Path, description = "Fingerprint of the set.")),
    request_body = StepRequest,
    responses(
        (status = 200, description = "It is dropped, or a dry run.", body = ReprojectionAnswer),
        (status = 404, description = "There is no such set.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It can't be dropped as things are.", body = ProblemDocument, content_type = "application/problem+json"),
        BodyProblems,
        AdminProblems,
    ),
)]
pub(crate) async fn drop(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(name): PathParams<String>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let mut fields = Fields::of(&body)?;
    let (why, dry_run) = (fields.text("why", MAX_WHY), fields.flag("dry_run"));
    fields.finish("a drop")?;
    let known = known(&state, &name)?;
    if known.stage == Stage::Active {
        return Err(Problem::conflict("the set is active; cut over to another one, or roll back, first"));
    }
    if let Some(since) = known.standby_since() {
        let left_s = LEAST_STANDBY_S - (now_us().0 - since.0) / 1_000_000;
        if left_s > 0 {
            return Err(Problem::conflict(format!(
                "the set was active until a moment ago and may still be read; drop it in {left_s} s"
            )));
        }
    }
    if known.stage != Stage::Dropped && !dry_run {
        record(&state, &caller, Change::GenerationsDropped { name: name.clone() }, why).await?;
    }
    current(&state, &name, StatusCode::OK).await
}
