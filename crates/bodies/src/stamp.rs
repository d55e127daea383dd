//! What ingress adds to a body.

use hindcast_domain::TimestampUs;
use uuid::Uuid;

/// What ingress adds to a body to make an event of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it was received.
    pub now: TimestampUs,
    /// The event's id if the body names none.
    pub event_id: Uuid,
}
