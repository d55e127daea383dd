//! `POST /api/ml/get_confidence`: the same as `/v1/confidence`, in the words of existing bots.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::{Stamp, legacy::parse_get_confidence};
use hindcast_schemas::Action;
use hindcast_service_kit::{
    answer::JsonAnswer,
    auth::{Caller, Scope},
    body::JsonBytes,
    clock::now_us,
    headers::idempotency_key,
    problem::Problem,
    telemetry::RequestContext,
};
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problems::{BodyProblems, ReadProblems};
use crate::{
    answers::{ModelAnswer, PositionAnswer},
    serve_decision::{Mode, Served, serve_decision},
    state::Shared,
    times::rfc3339,
};

/// How much confidence a signal deserves, as existing bots read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BotConfidenceAnswer {
    /// Probability that the trade wins.
    #[schema(minimum = 0.0, maximum = 1.0)]
    ml_confidence: f64,
    /// What the policy makes of it, in lower case.
    action: BotAction,
    /// Name and version of the model.
    #[schema(examples("kernel-1"))]
    model_version: String,
    /// Trades that the user has closed in this symbol, as far as they are projected.
    user_trade_count: u64,
    /// When it was decided.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Id of the decision: send it with the closed trade.
    decision_id: Uuid,
    /// Id of the signal.
    event_id: Uuid,
    /// The same as `ml_confidence`.
    #[schema(minimum = 0.0, maximum = 1.0)]
    confidence: f64,
    /// Lower and upper end of the interval of the confidence.
    #[schema(min_items = 2, max_items = 2)]
    interval: [f64; 2],
    /// 0 for a signal like many before, 1 for one unlike any.
    #[schema(minimum = 0.0, maximum = 1.0)]
    novelty: f64,
    /// The model that scored.
    model: ModelAnswer,
    /// The experiment it was part of.
    #[schema(required)]
    experiment: Option<String>,
    /// Closed trades that the model looked at.
    experiences: u32,
    /// Where the signal was recorded.
    #[schema(required)]
    position: Option<PositionAnswer>,
    /// Durable records of the user's partition that the book did not cover yet.
    behind: u64,
}

/// What to do with the trade.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BotAction {
    /// Take it.
    Take,
    /// Leave it.
    Skip,
}

impl BotConfidenceAnswer {
    fn new(served: &Served<'_>) -> Self {
        let decision = &served.decision;
        let model = ModelAnswer { name: decision.model.name.to_string(), version: decision.model.version };
        Self {
            ml_confidence: decision.confidence,
            action: match decision.action {
                Action::Take => BotAction::Take,
                Action::Skip => BotAction::Skip,
            },
            model_version: format!("{}-{}", model.name, model.version),
            user_trade_count: served.trades,
            timestamp: rfc3339(decision.decided_at),
            decision_id: decision.decision_id,
            event_id: decision.signal.event_id,
            confidence: decision.confidence,
            interval: [decision.interval_low, decision.interval_high],
            novelty: decision.novelty,
            model,
            experiment: decision.experiment.as_deref().map(str::to_owned),
            experiences: decision.experiences,
            position: served.position.map(Into::into),
            behind: served.behind,
        }
    }
}

/// How much confidence a signal deserves, for existing bots.
#[utoipa::path(
    post,
    path = "/api/ml/get_confidence",
    tag = "existing bots",
    params(("Idempotency-Key" = Option<String>, Header, description = "Identifies the signal when it is sent again.")),
    request_body = hindcast_bodies::requests::GetConfidenceRequest,
    responses(
        (status = 200, description = "The decision.", body = BotConfidenceAnswer, headers(
            ("Hindcast-Position" = String, description = "Where the signal was recorded."),
            ("Hindcast-Control" = u64, description = "Control offset of the settings used."),
        )),
        ReadProblems,
        BodyProblems,
    ),
)]
pub(super) async fn get_confidence(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let user = caller.user_id().as_str();
    let signal = parse_get_confidence(&body, &state.ports.instruments)?;
    caller.check_user(signal.user_id())?;
    let event_id = idempotency_key(&headers, user)?.unwrap_or_else(Uuid::now_v7);
    let signal = signal.into_event(user, &Stamp { now: now_us(), event_id });
    let reading = state.reading(user, &headers).await?;
    let served = serve_decision(&state, &reading, signal, Mode::Record, context.traceparent()).await?;
    Ok((reading.headers(served.position), JsonAnswer(BotConfidenceAnswer::new(&served))).into_response())
}
