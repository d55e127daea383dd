//! `POST /v1/events`: records many events at once.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::{Stamp, parse_item, split_array, split_ndjson};
use hindcast_domain::{Position, TimestampUs};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    body::{BatchBytes, BatchFormat},
    clock::now_us,
    headers::idempotency_key,
    problem::Problem,
    telemetry::RequestContext,
};
use http::{HeaderMap, HeaderValue, header};
use uuid::Uuid;

use super::identity::item_id;
use crate::{
    answers::{BatchAnswer, ItemAnswer, position_header},
    intake::{Appended, EventIds, Identity, Intake, Taken},
    problems::WriteProblems,
    state::{IngressState, Shared},
};

/// Events that cost as much as a request.
const EVENTS_PER_REQUEST: usize = 100;
/// Items between two pauses, in which requests that want an answer at once get their turn.
const ITEMS_BETWEEN_PAUSES: usize = 64;
/// A usual answer to an item, so that writing them does not grow the buffer.
const ANSWER_BYTES: usize = 144;

/// Records up to 1,000 events.
///
/// Each has a `type`, `signal` or `trade`. A bad item does not spoil the others: the answer tells of each, in the order
/// sent, when all good ones are durable. An array that is not JSON as a whole is refused as a whole; a line that is not
/// is one bad item. With an `Idempotency-Key` every item without an `event_id` gets one from the key and its place.
/// A batch costs as many requests as it has begun hundreds of events.
#[utoipa::path(
    post,
    path = "/v1/events",
    tag = "events",
    params(("Idempotency-Key" = Option<String>, Header, description = "Identifies the items that have no `event_id`, together with their place.")),
    request_body(content(
        (hindcast_bodies::requests::BatchArray = "application/json"),
        (hindcast_bodies::requests::BatchLines = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "All good items are durable.", body = BatchAnswer, headers(
            ("Hindcast-Position" = String, description = "Where the last of them stands, `EPOCH-PARTITION-OFFSET`; absent if none is good."),
        )),
        WriteProblems,
    ),
)]
pub(super) async fn post_events(
    State(state): State<Shared>,
    caller: Caller,
    context: RequestContext,
    headers: HeaderMap,
    body: BatchBytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let batch_id = idempotency_key(&headers, caller.user_id().as_str())?;
    let items = match body.format {
        BatchFormat::Array => split_array(&body.bytes),
        BatchFormat::Ndjson => split_ndjson(&body.bytes),
    }?;
    // The request itself was charged for when it came in.
    let further = items.len().div_ceil(EVENTS_PER_REQUEST).saturating_sub(1);
    if let Ok(further @ 1..) = u32::try_from(further) {
        state.ports.gate.charge(&caller, further)?;
    }
    let batch = Batch { state: &state, caller: &caller, batch_id, now: now_us() };
    let mut intake = Intake::new(&state, caller.user_id().as_str(), context.traceparent(), items.len());
    let taken = batch.take(&items, &mut intake).await;
    let appended = intake.append().await?;
    batch.answer(taken, &appended, &context).await
}

/// A batch on its way.
struct Batch<'a> {
    state: &'a IngressState,
    caller: &'a Caller,
    batch_id: Option<Uuid>,
    now: TimestampUs,
}

/// What was made of an item: the event's id, and what became of it.
type TakenItem = Result<(Uuid, Taken), Problem>;

impl Batch<'_> {
    async fn take(&self, items: &[&[u8]], intake: &mut Intake<'_>) -> Vec<TakenItem> {
        let mut ids = EventIds::default();
        let mut taken = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            if index % ITEMS_BETWEEN_PAUSES == ITEMS_BETWEEN_PAUSES - 1 {
                tokio::task::yield_now().await;
            }
            taken.push(self.take_item(index, item, &mut ids, intake).await);
        }
        taken
    }

    async fn take_item(&self, index: usize, item: &[u8], ids: &mut EventIds, intake: &mut Intake<'_>) -> TakenItem {
        let item = parse_item(item, &self.state.ports.instruments)?;
        self.caller.check_user(item.user_id())?;
        let (event_id, identity) = match self.batch_id {
            _ if item.has_own_id() => (Uuid::nil(), Identity::Own),
            Some(batch_id) => (item_id(batch_id, index), Identity::Own),
            None => (ids.next(), Identity::Made),
        };
        let event = item.into_event(self.caller.user_id().as_str(), &Stamp { now: self.now, event_id });
        Ok((event.event_id(), intake.take(&event, identity).await?))
    }

    async fn answer(
        &self,
        taken: Vec<TakenItem>,
        appended: &Appended<'_>,
        context: &RequestContext,
    ) -> Result<Response, Problem> {
        let mut body = Vec::with_capacity(32 + taken.len() * ANSWER_BYTES);
        let mut last = None;
        body.extend_from_slice(b"{\"results\":[");
        for (index, item) in taken.into_iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            let placed = match item {
                Ok((event_id, taken)) => appended.place(&taken).await.map(|placed| (event_id, placed)),
                Err(problem) => Err(problem),
            };
            let answer = match placed {
                Ok((event_id, placed)) => {
                    last = later(last, placed.position);
                    ItemAnswer::recorded(event_id, placed)
                }
                Err(problem) => {
                    self.state.metrics.items_refused.inc();
                    ItemAnswer::refused(problem.document(Some(context.request_id().as_str())))
                }
            };
            serde_json::to_writer(&mut body, &answer)
                .map_err(|error| Problem::internal(format!("an answer can't be written: {error}")))?;
        }
        body.extend_from_slice(b"]}");
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        Ok((position_header(last), content_type, body).into_response())
    }
}

/// The later one of two positions of a partition.
fn later(one: Option<Position>, other: Option<Position>) -> Option<Position> {
    [one, other].into_iter().flatten().max_by_key(|position| position.order())
}
