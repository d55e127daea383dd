//! `POST /api/ml/save_trade`: records a closed trade, for existing bots.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::{Stamp, legacy::parse_save_trade};
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
    answers::{SaveTradeAnswer, position_header},
    problems::{ConflictProblem, WriteProblems},
    state::Shared,
    totals::Totals,
};

/// Records a closed trade, for existing bots.
///
/// Waits a moment for totals that count the trade; if they don't by then, `behind` tells so.
#[utoipa::path(
    post,
    path = "/api/ml/save_trade",
    tag = "existing bots",
    params(("Idempotency-Key" = Option<String>, Header, description = "Identifies the trade when it is sent again.")),
    request_body = hindcast_bodies::requests::SaveTradeRequest,
    responses(
        (status = 200, description = "The trade is durable.", body = SaveTradeAnswer, headers(
            ("Hindcast-Position" = String, description = "Where it stands, `EPOCH-PARTITION-OFFSET`."),
        )),
        ConflictProblem,
        WriteProblems,
    ),
)]
pub(super) async fn save_trade(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let user = caller.user_id().as_str();
    let trade = parse_save_trade(&body, &state.ports.instruments)?;
    caller.check_user(trade.user_id())?;
    let (event_id, identity) = identify(&headers, user, None)?;
    let event = Event::Trade(trade.into_event(user, &Stamp { now: now_us(), event_id }));
    let placed = state.record(user, &event, identity, context.traceparent()).await?;
    let totals = state.totals(user, placed.position).await;
    let answer = SaveTradeAnswer {
        saved: true,
        experience_id: event_id,
        user_total_trades: totals.map(|totals| totals.trades),
        user_win_rate: totals.as_ref().map(Totals::win_rate),
        position: placed.position.map(Into::into),
        duplicate: placed.duplicate,
        behind: totals.map(|totals| totals.behind),
    };
    Ok((position_header(placed.position), Json(answer)).into_response())
}
