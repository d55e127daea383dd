//! The id of an event: the client's own in the body or in a header, else one that is made.

use hindcast_bodies::FieldError;
use hindcast_service_kit::{headers::idempotency_key, problem::Problem};
use http::HeaderMap;
use uuid::Uuid;

use crate::intake::Identity;

/// The id that an event gets if its body has none, and whether the client chose an id at all.
///
/// # Errors
/// 400 for a header that can't be understood, 422 for one that contradicts the body.
pub(super) fn identify(
    headers: &HeaderMap,
    user: &str,
    body_event_id: Option<Uuid>,
) -> Result<(Uuid, Identity), Problem> {
    match (idempotency_key(headers, user)?, body_event_id) {
        (Some(header), Some(body)) if header != body => {
            let detail = "must not differ from the Idempotency-Key; send one of them";
            Err(Problem::validation(vec![FieldError::new("/event_id", detail)]))
        }
        (Some(id), _) | (None, Some(id)) => Ok((id, Identity::Own)),
        (None, None) => Ok((Uuid::now_v7(), Identity::Made)),
    }
}

/// The id of an item of a batch that has none of its own, in a batch that is identified as a whole.
pub(super) fn item_id(batch: Uuid, index: usize) -> Uuid {
    Uuid::new_v5(&batch, index.to_string().as_bytes())
}
