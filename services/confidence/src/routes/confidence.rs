//! `POST /v1/confidence`: records the signal, scores it, records the decision.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::{FieldError, Stamp, parse_signal};
use hindcast_service_kit::{
    answer::JsonAnswer,
    auth::{Caller, Scope},
    body::JsonBytes,
    clock::now_us,
    headers::idempotency_key,
    params::QueryParams,
    problem::Problem,
    telemetry::RequestContext,
};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::problems::{BodyProblems, ReadProblems};
use crate::{
    answers::ConfidenceAnswer,
    serve_decision::{Mode, serve_decision},
    state::Shared,
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
/// Records the signal and the decision, and answers when both are durable. Send `decision_id` or `event_id` (as
/// `signal_id`) with the closed trade. Sending the same `event_id` again counts the signal once; the latest decision
/// on it is the one that holds.
#[utoipa::path(
    post,
    path = "/v1/confidence",
    tag = "confidence",
    params(
        ConfidenceQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "In place of `event_id`."),
        ("Hindcast-Min-Position" = Option<String>, Header, description = "Position that the book must cover."),
        ("Hindcast-Control" = Option<u64>, Header, description = "Control offset that the answer must not be older than."),
    ),
    request_body = hindcast_bodies::requests::SignalRequest,
    responses(
        (status = 200, description = "The decision.", body = ConfidenceAnswer, headers(
            ("Hindcast-Position" = String, description = "Where the signal was recorded."),
            ("Hindcast-Control" = u64, description = "Control offset of the settings used."),
        )),
        ReadProblems,
        BodyProblems,
    ),
)]
pub(super) async fn post_confidence(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    headers: HeaderMap,
    QueryParams(query): QueryParams<ConfidenceQuery>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let user = caller.user_id().as_str();
    let signal = parse_signal(&body, &state.ports.instruments)?;
    caller.check_user(signal.user_id())?;
    let event_id = chosen_event_id(idempotency_key(&headers, user)?, signal.event_id())?;
    let signal = signal.into_event(user, &Stamp { now: now_us(), event_id });
    let reading = state.reading(user, &headers).await?;
    let mode = if query.dry_run { Mode::DryRun } else { Mode::Record };
    let served = serve_decision(&state, &reading, signal, mode, context.traceparent()).await?;
    let answer = ConfidenceAnswer::new(&served.decision, served.position, served.behind);
    Ok((reading.headers(served.position), JsonAnswer(answer)).into_response())
}

/// The id of the event: the header's, the body's, or a new one.
fn chosen_event_id(header: Option<Uuid>, body: Option<Uuid>) -> Result<Uuid, Problem> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => {
            let detail = "differs from the Idempotency-Key; send one of them".to_owned();
            Err(Problem::validation(vec![FieldError::new("/event_id", detail)]))
        }
        (header, body) => Ok(header.or(body).unwrap_or_else(Uuid::now_v7)),
    }
}
