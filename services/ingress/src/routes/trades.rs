//! `POST /v1/trades`: records one closed trade.

use axum::{extract::State, response::Response};
use hindcast_bodies::{Stamp, parse_trade};
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

/// Records a closed trade.
///
/// The answer comes when the trade is durable. Name its signal by `decision_id` or `signal_id` where you can: what is
/// learned from a trade is learned about the signal that it came from.
#[utoipa::path(
    post,
    path = "/v1/trades",
    tag = "events",
    params(("Idempotency-Key" = Option<String>, Header, description = "Identifies the event in place of `event_id`: a UUID as it is, any other text as a name of your own.")),
    request_body = hindcast_bodies::requests::TradeRequest,
    responses(
        (status = 201, description = "The trade is durable.", body = RecordedAnswer, headers(
            ("Hindcast-Position" = String, description = "Where it stands, `EPOCH-PARTITION-OFFSET`."),
        )),
        ConflictProblem,
        WriteProblems,
    ),
)]
pub(super) async fn post_trade(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let user = caller.user_id().as_str();
    let trade = parse_trade(&body, &state.ports.instruments)?;
    caller.check_user(trade.user_id())?;
    let (event_id, identity) = identify(&headers, user, trade.event_id())?;
    let event = Event::Trade(trade.into_event(user, &Stamp { now: now_us(), event_id }));
    let placed = state.record(user, &event, identity, context.traceparent()).await?;
    Ok(RecordedAnswer::new(event.event_id(), placed).created(placed))
}
