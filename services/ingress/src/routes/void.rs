//! `POST /v1/trades/{event_id}/void`: takes a trade back.

use std::borrow::Cow;

use axum::{extract::State, response::Response};
use hindcast_bodies::{VoidBody, parse_void};
use hindcast_domain::{UserId, void_event_id};
use hindcast_schemas::{Event, TradeVoided};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    clock::now_us,
    headers::min_position,
    params::PathParams,
    problem::Problem,
    telemetry::RequestContext,
};
use http::HeaderMap;
use uuid::Uuid;

use crate::{
    answers::RecordedAnswer,
    intake::Identity,
    optional_body::OptionalJson,
    problems::WriteProblems,
    state::Shared,
    trade_search::{Found, RecordedTrade, Search},
};

/// Takes a trade back that was busted or misreported.
///
/// Its effect is reversed. A trade is taken back once, however often that is asked for: asking again answers
/// `duplicate: true`. A trade that is not among the latest events of its user is found by the `position` that was
/// answered when it was reported.
#[utoipa::path(
    post,
    path = "/v1/trades/{event_id}/void",
    tag = "events",
    params(
        ("event_id" = Uuid, Path, description = "Id of the trade."),
        ("Hindcast-Min-Position" = Option<String>, Header, description = "A position up to which trades are looked for at least."),
    ),
    request_body(content = Option<hindcast_bodies::requests::VoidRequest>, description = "May be left out."),
    responses(
        (status = 201, description = "The void is durable.", body = RecordedAnswer, headers(
            ("Hindcast-Position" = String, description = "Where it stands, `EPOCH-PARTITION-OFFSET`."),
        )),
        (status = 404, description = "There is no such trade of the caller.", body = hindcast_service_kit::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "The journal ends before the position that was named.", body = hindcast_service_kit::problem::ProblemDocument, content_type = "application/problem+json"),
        WriteProblems,
    ),
)]
pub(super) async fn post_void(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    PathParams(trade_id): PathParams<Uuid>,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let VoidBody { reason, position } = parse_void(&body)?;
    let user = caller.user_id();
    let search = Search { state: &state, user, trade_id, min_position: min_position(&headers)?, named: position };
    let trade = match search.run().await? {
        Found::Trade(trade) => trade,
        Found::Void(placed) => {
            return Ok(RecordedAnswer::new(void_event_id(user.as_str(), trade_id), placed).created(placed));
        }
    };
    let event = Event::Void(void(user, trade_id, trade, reason));
    let placed = state.record(user.as_str(), &event, Identity::Derived, context.traceparent()).await?;
    Ok(RecordedAnswer::new(event.event_id(), placed).created(placed))
}

fn void<'a>(user: &'a UserId, trade_id: Uuid, trade: RecordedTrade, reason: Option<Cow<'a, str>>) -> TradeVoided<'a> {
    let now = now_us();
    TradeVoided {
        event_id: void_event_id(user.as_str(), trade_id),
        user_id: Cow::Borrowed(user.as_str()),
        symbol: trade.symbol.into(),
        strategy: trade.strategy.map(Into::into),
        occurred_at: now,
        received_at: now,
        trade_event_id: trade_id,
        trade_position: trade.position,
        trade_occurred_at: trade.occurred_at,
        trade_pnl_e9: trade.pnl_e9,
        trade_simulated: trade.simulated,
        reason,
    }
}
