//! What a set of generations is, as the API tells it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_control::{GenerationTables, KnownSet, Stage, VerificationSummary};
use hindcast_journal::Topic;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    clock::now_us,
    headers::HINDCAST_CONTROL,
    params::{PathParams, QueryParams},
    problem::{Problem, ProblemDocument},
};
use hindcast_views::{TableName, ViewStore};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    known,
    size::{self, SetSize},
};
use crate::{problems::AdminProblems, state::Shared};

/// All sets of generations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReprojectionsAnswer {
    /// Name of the set that is read.
    #[schema(required)]
    active: Option<String>,
    /// Name of the set that a rollback would activate.
    #[schema(required)]
    previous: Option<String>,
    reprojections: Vec<ReprojectionAnswer>,
}

/// A set of generations and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReprojectionAnswer {
    /// Fingerprint of the set.
    pub(super) name: String,
    /// `planned`, `building`, `verifying`, `ready`, `active`, `standby` or `dropped`.
    #[schema(examples("ready"))]
    pub(super) stage: String,
    /// Fold versions and parameters.
    #[schema(value_type = Object)]
    pub(super) generations: serde_json::Value,
    /// Its tables.
    pub(super) tables: Vec<String>,
    /// Records a second that a builder folds at most.
    #[schema(required)]
    pub(super) max_rate: Option<u32>,
    /// How far it is folded, by partition.
    pub(super) partitions: Vec<FoldedPartition>,
    /// Journal records not folded yet, in all partitions.
    pub(super) lag_events: u64,
    /// Seconds until the build is done, at the pace it has had; null in any other stage.
    #[schema(required)]
    pub(super) eta_seconds: Option<f64>,
    /// Rows and bytes, if `sizes` asked for them; null for a dropped set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<SetSize>,
    /// The last comparison with the active set.
    #[schema(required, value_type = Option<Object>)]
    pub(super) verification: Option<VerificationSummary>,
    /// Its life so far.
    pub(super) steps: Vec<StepAnswer>,
}

/// How far a partition is folded.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct FoldedPartition {
    /// The partition.
    pub(super) partition: u16,
    /// One past the last record folded.
    pub(super) next_offset: u64,
    /// One past the last durable record.
    pub(super) journal_end: u64,
}

/// A step of a set's life.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepAnswer {
    /// Its control record.
    control_offset: u64,
    /// When it was asked for.
    #[schema(format = DateTime)]
    at: String,
    /// Id of the API key that asked for it.
    by: String,
    /// Why.
    why: String,
    /// Where the set stood from then on.
    stage: String,
}

/// How much is told.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SetsQuery {
    /// Count rows and bytes too, which reads them.
    #[serde(default)]
    #[param(default = false)]
    sizes: bool,
}

/// All sets of generations, dropped ones too.
#[utoipa::path(
    get,
    path = "/admin/v1/reprojections",
    tag = "admin",
    params(SetsQuery),
    responses((status = 200, description = "The sets.", body = ReprojectionsAnswer), AdminProblems),
)]
pub(crate) async fn list(
    State(state): State<Shared>,
    caller: Caller,
    QueryParams(query): QueryParams<SetsQuery>,
) -> Result<Json<ReprojectionsAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    let settings = state.ports.control.settings();
    let name = |known: Option<&Arc<KnownSet>>| known.map(|known| known.tables.name.to_string());
    let mut reprojections = Vec::new();
    for known in settings.sets.iter() {
        let mut answer = answer(&state, known).await?;
        if query.sizes && known.stage != Stage::Dropped {
            answer.size = Some(size::of(&state, &known.tables).await?);
        }
        reprojections.push(answer);
    }
    let (active, previous) = (name(settings.sets.active()), name(settings.sets.previous()));
    Ok(Json(ReprojectionsAnswer { active, previous, reprojections }))
}

/// One set of generations.
#[utoipa::path(
    get,
    path = "/admin/v1/reprojections/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "Fingerprint of the set.")),
    responses(
        (status = 200, description = "The set.", body = ReprojectionAnswer),
        (status = 404, description = "There is no such set.", body = ProblemDocument, content_type = "application/problem+json"),
        AdminProblems,
    ),
)]
pub(crate) async fn one(
    State(state): State<Shared>,
    caller: Caller,
    PathParams(name): PathParams<String>,
) -> Result<Json<ReprojectionAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    let known = known(&state, &name)?;
    Ok(Json(answer(&state, &known).await?))
}

pub(super) async fn answer(state: &Shared, known: &KnownSet) -> Result<ReprojectionAnswer, Problem> {
    let is_there = known.stage != Stage::Dropped;
    let partitions = if is_there { folded(state, &known.tables).await? } else { Vec::new() };
    let step = |step: &hindcast_control::Step| StepAnswer {
        control_offset: step.offset,
        at: Timestamp::from_microsecond(step.at.0).unwrap_or_default().to_string(),
        by: step.by.clone(),
        why: step.why.clone(),
        stage: step.stage.to_string(),
    };
    Ok(ReprojectionAnswer {
        name: known.tables.name.to_string(),
        stage: known.stage.to_string(),
        generations: serde_json::to_value(&known.tables.set).map_err(|error| Problem::internal(error.to_string()))?,
        tables: known.tables.all().map(|table| table.to_string()).into(),
        max_rate: known.max_rate,
        lag_events: lag_events(&partitions),
        eta_seconds: eta_seconds(known, &partitions),
        size: None,
        partitions,
        verification: known.verification.clone(),
        steps: known.steps.iter().map(step).collect(),
    })
}

/// What is missing at the pace since the build was begun.
#[allow(clippy::cast_precision_loss)] // an estimate
fn eta_seconds(known: &KnownSet, partitions: &[FoldedPartition]) -> Option<f64> {
    // A build whose rate was changed has several such steps in a row.
    let begun = known.steps.iter().rev().take_while(|step| step.stage == Stage::Building).last()?;
    let folded: u64 = partitions.iter().map(|folded| folded.next_offset).sum();
    let seconds = now_us().0.saturating_sub(begun.at.0) as f64 / 1e6;
    (folded > 0).then(|| lag_events(partitions) as f64 * seconds / folded as f64)
}

/// How far a set is folded, by the store: the same whichever process is asked.
pub(super) async fn folded(state: &Shared, tables: &GenerationTables) -> Result<Vec<FoldedPartition>, Problem> {
    let (log, views) = (&state.ports.log, &state.ports.views);
    let mut folded = Vec::new();
    for partition in 0..log.identity().partitions {
        let progress = least_progress(&**views, tables, partition).await?;
        let journal_end = *log.durable_end(Topic::Journal, partition).borrow();
        folded.push(FoldedPartition { partition, next_offset: progress, journal_end });
    }
    Ok(folded)
}

async fn least_progress(views: &dyn ViewStore, tables: &GenerationTables, partition: u16) -> Result<u64, Problem> {
    let mut least = u64::MAX;
    for table in tables.all() {
        let progress = views.progress(&TableName(Arc::clone(table)), partition).await?;
        least = least.min(progress.map_or(0, |progress| progress.next_offset));
    }
    Ok(least)
}

pub(super) fn lag_events(partitions: &[FoldedPartition]) -> u64 {
    partitions.iter().map(|folded| folded.journal_end.saturating_sub(folded.next_offset)).sum()
}

/// The set as it is now, with the control offset that this knows.
pub(super) async fn current(state: &Shared, name: &str, status: StatusCode) -> Result<Response, Problem> {
    let known = known(state, name)?;
    let offset = state.ports.control.settings().offset.unwrap_or_default();
    let answer = answer(state, &known).await?;
    Ok((status, [(HINDCAST_CONTROL, HeaderValue::from(offset))], Json(answer)).into_response())
}
