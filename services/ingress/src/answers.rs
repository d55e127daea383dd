//! What writes answer.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use hindcast_domain::Position;
use hindcast_service_kit::{
    headers::{HINDCAST_POSITION, position_value},
    problem::ProblemDocument,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::intake::Placed;

/// Place of a journal record, given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PositionAnswer {
    /// Raised by one each time a journal is restored.
    epoch: u8,
    /// Partition of the user.
    partition: u16,
    /// Offset within the partition.
    offset: u64,
}

impl From<Position> for PositionAnswer {
    fn from(position: Position) -> Self {
        Self { epoch: position.epoch, partition: position.partition, offset: position.offset }
    }
}

/// An event that is durable.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct RecordedAnswer {
    /// Id of the event: yours, or one that was made.
    event_id: Uuid,
    /// Where it stands. Null only for a duplicate of which nothing but its place in an import is remembered.
    #[schema(required)]
    position: Option<PositionAnswer>,
    /// Whether it was taken in before, as far as is known. It counts once in any case.
    duplicate: bool,
}

impl RecordedAnswer {
    pub(crate) fn new(event_id: Uuid, placed: Placed) -> Self {
        Self { event_id, position: placed.position.map(Into::into), duplicate: placed.duplicate }
    }

    /// The whole response.
    pub(crate) fn created(self, placed: Placed) -> Response {
        (StatusCode::CREATED, position_header(placed.position), Json(self)).into_response()
    }
}

/// The header that names a position, if there is one.
pub(crate) fn position_header(position: Option<Position>) -> HeaderMap {
    position.map(|position| (HINDCAST_POSITION, position_value(position))).into_iter().collect()
}

/// The answers to the items of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // described; written item by item
pub(crate) struct BatchAnswer {
    /// One for each item, in the order sent.
    results: Vec<ItemAnswer>,
}

/// The answer to one item.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ItemAnswer {
    /// The item is durable.
    Recorded(RecordedItem),
    /// The item was refused; the others are not affected.
    Refused(RefusedItem),
}

/// An item that is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedItem {
    /// 201.
    #[schema(minimum = 201, maximum = 201)]
    status: u16,
    /// Id of the event: yours, or one that was made.
    event_id: Uuid,
    /// Where it stands. Null only for a duplicate of which nothing but its place in an import is remembered.
    #[schema(required)]
    position: Option<PositionAnswer>,
    /// Whether it was taken in before, as far as is known. It counts once in any case.
    duplicate: bool,
}

/// An item that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedItem {
    /// The status that it would have had alone.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Why.
    error: ProblemDocument,
}

impl ItemAnswer {
    pub(crate) fn recorded(event_id: Uuid, placed: Placed) -> Self {
        Self::Recorded(RecordedItem {
            status: StatusCode::CREATED.as_u16(),
            event_id,
            position: placed.position.map(Into::into),
            duplicate: placed.duplicate,
        })
    }

    pub(crate) fn refused(error: ProblemDocument) -> Self {
        Self::Refused(RefusedItem { status: error.status, error })
    }
}

/// What existing bots are told of a trade that they report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SaveTradeAnswer {
    /// Always true: what is not saved is answered with a problem.
    pub(crate) saved: bool,
    /// Id of the event.
    pub(crate) experience_id: Uuid,
    /// Closed trades of the user that were taken, in all symbols. Null when the views can't be read at present.
    #[schema(required)]
    pub(crate) user_total_trades: Option<u64>,
    /// How many of these won, 0 to 1; 0 without trades. Null when the views can't be read at present.
    #[schema(required, minimum = 0.0, maximum = 1.0)]
    pub(crate) user_win_rate: Option<f64>,
    /// Where the trade stands.
    #[schema(required)]
    pub(crate) position: Option<PositionAnswer>,
    /// Whether it was taken in before, as far as is known. It counts once in any case.
    pub(crate) duplicate: bool,
    /// Durable records of the user's partition that the totals don't cover yet: 0 means that the trade is in them.
    /// Null when the views can't be read at present.
    #[schema(required)]
    pub(crate) behind: Option<u64>,
}
