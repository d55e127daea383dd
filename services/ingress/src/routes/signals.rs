//! `POST /v1/signals`: records one signal.

use axum::{extract::State, response::Response};
use hindcast_bodies::{Stamp, parse_signal};
use hindcast_schemas::Event;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::JsonBytes,
    clock::now_us,
    problem::Problem,
    telemetry::RequestContext,
};
use http::HeaderMap;

use super::identity::identify;
use crate::{
    answers::RecordedAnswer,
    problems::{ConflictProblem, WriteProblems},
    state::Shared,
};

/// Records a signal.
///
/// The answer comes when the signal is durable. To be told how much confidence it deserves, send it to
/// `/v1/confidence` instead.
#[utoipa::path(
    post,
    path = "/v1/signals",
    tag = "events",
    params(("Idempotency-Key" = Option<String>, Header, description = "Identifies the event in place of `event_id`: a UUID as it is, any other text as a name of your own.")),
    request_body = hindcast_bodies::requests::SignalRequest,
    responses(
        (status = 201, description = "The signal is durable.", body = RecordedAnswer, headers(
            ("Hindcast-Position" = String, description = "Where it stands, `EPOCH-PARTITION-OFFSET`."),
        )),
        ConflictProblem,
        WriteProblems,
    ),
)]
pub(super) async fn post_signal(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let user = caller.user_id().as_str();
    let signal = parse_signal(&body, &state.ports.instruments)?;
    caller.check_user(signal.user_id())?;
    let (event_id, identity) = identify(&headers, user, signal.event_id())?;
    let event = Event::Signal(signal.into_event(user, &Stamp { now: now_us(), event_id }));
    let placed = state.record(user, &event, identity, context.traceparent()).await?;
    Ok(RecordedAnswer::new(event.event_id(), placed).created(placed))
}
