//! `POST /v1/confidence`: records the signal, scores it, records the decision.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use hindcast_bodies::{Stamp, parse_signal};
use hindcast_domain::Position;
use hindcast_journal::{NewRecord, RecordType, Topic};
use hindcast_schemas::{DecisionMade, Event, SignalReceived};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::JsonBytes,
    clock,
    headers::RequestHeaders,
    problem::Problem,
};
use hindcast_views::TableName;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    answers::ConfidenceAnswer,
    decide::{Basis, decide},
    state::{ConfidenceState, active_scoring},
};

/// What can be asked for beside the signal.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConfidenceQuery {
    /// Scores and records nothing.
    #[serde(default)]
    dry_run: bool,
}

/// How much confidence a signal deserves.
///
/// Records the signal and the decision, and answers when both are durable. Send `decision_id` with the closed trade.
pub(super) async fn post_confidence(
    State(state): State<Arc<ConfidenceState>>,
    caller: Caller,
    headers: RequestHeaders,
    Query(query): Query<ConfidenceQuery>,
    body: JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let signal = parse_signal(&body, &state.ports.instruments)?;
    caller.check_user(signal.user_id())?;
    let event_id = headers.event_id(caller.user_id(), signal.event_id())?;
    let stamp = Stamp { now: clock::now(), event_id: event_id.unwrap_or_else(Uuid::now_v7) };
    let signal = signal.into_event(caller.user_id().as_str(), &stamp);
    let answered = answer(&state, &headers, signal, query.dry_run).await?;
    Ok((answered.headers, Json(answered.body)).into_response())
}
