//! `GET /admin/v1/status`: what an operator looks at first.

use axum::{Json, extract::State};
use hindcast_journal::Topic;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    problem::Problem,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{problems::AdminProblems, state::Shared};

/// How the system is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusAnswer {
    /// Version of the process that answers.
    version: &'static str,
    /// How long it has been running, seconds.
    uptime_s: u64,
    /// The logs.
    log: LogStatus,
    /// The view store.
    views: StoreStatus,
    /// The journal's partitions.
    partitions: Vec<PartitionStatus>,
    /// Control offset of the last change known here.
    #[schema(required)]
    control_offset: Option<u64>,
    /// The model that scores.
    #[schema(required)]
    model: Option<SettingStatus>,
    /// The policy that decides.
    #[schema(required)]
    policy: Option<SettingStatus>,
    /// The tables that are read.
    tables: Vec<String>,
    /// Number of API keys, revoked ones too.
    keys: usize,
}

/// The state of the logs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogStatus {
    /// Kind of the log.
    engine: &'static str,
    /// `healthy`, or why not.
    health: String,
    /// Drawn once when the log was made.
    journal_id: Uuid,
    /// Raised by one each time the journal is restored.
    epoch: u8,
}

/// The state of the view store.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoreStatus {
    /// Kind of the store.
    engine: &'static str,
    /// `healthy`, or why not.
    health: String,
}

/// One partition of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartitionStatus {
    /// The partition.
    partition: u16,
    /// One past the last durable journal record.
    journal_end: u64,
    /// One past the last durable decision.
    decisions_end: u64,
    /// One past the last dead letter.
    dead_letters_end: u64,
    /// One past the last projected journal record.
    projected_end: u64,
    /// Durable journal records not projected yet.
    lag_events: u64,
}

/// A published setting.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingStatus {
    /// Name.
    name: String,
    /// Version, from 1.
    version: u32,
    /// SHA-256 of its canonical JSON, in hex.
    digest: String,
}

/// How the system is.
#[utoipa::path(
    get,
    path = "/admin/v1/status",
    tag = "admin",
    responses((status = 200, description = "The status.", body = StatusAnswer), AdminProblems),
)]
pub(crate) async fn get_status(State(state): State<Shared>, caller: Caller) -> Result<Json<StatusAnswer>, Problem> {
    caller.require(Scope::Admin)?;
    let ports = &state.ports;
    let identity = ports.log.identity();
    let settings = ports.control.settings();
    let end = |topic, partition| *ports.log.durable_end(topic, partition).borrow();
    let board = settings.generations.as_deref().map(|active| ports.boards.of(&active.name));
    let partitions = (0..identity.partitions)
        .map(|partition| {
            let journal_end = end(Topic::Journal, partition);
            let projected_end =
                board.as_ref().and_then(|board| board.current(partition)).map_or(0, |progress| progress.next_offset);
            PartitionStatus {
                partition,
                journal_end,
                decisions_end: end(Topic::Decisions, partition),
                dead_letters_end: end(Topic::DeadLetters, partition),
                projected_end,
                lag_events: journal_end.saturating_sub(projected_end),
            }
        })
        .collect();
    let health = |result: Result<(), String>| result.err().unwrap_or_else(|| "healthy".to_owned());
    let scoring = settings.scoring.as_deref();
    Ok(Json(StatusAnswer {
        version: ports.version,
        uptime_s: state.started.elapsed().as_secs(),
        log: LogStatus {
            engine: ports.engines.0,
            health: health(ports.log.health()),
            journal_id: identity.journal_id,
            epoch: identity.epoch,
        },
        views: StoreStatus { engine: ports.engines.1, health: health(ports.views.health()) },
        partitions,
        control_offset: settings.offset,
        model: scoring.map(|s| SettingStatus {
            name: s.published_model.name.clone(),
            version: s.published_model.version,
            digest: s.model_digest.clone(),
        }),
        policy: scoring.map(|s| SettingStatus {
            name: s.published_policy.name.clone(),
            version: s.published_policy.version,
            digest: s.policy_digest.clone(),
        }),
        tables: settings.generations.as_deref().map_or_else(Vec::new, |active| {
            [&active.admission_table, &active.book_table, &active.activity_table].map(|name| name.to_string()).into()
        }),
        keys: ports.control.keys().len(),
    }))
}
