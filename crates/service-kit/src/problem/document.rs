//! The body of a problem.

use hindcast_bodies::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;

/// A problem of RFC 9457.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// What kind it is: `/problems/` and a name that does not change.
    #[serde(rename = "type")]
    #[schema(example = "/problems/validation")]
    pub type_uri: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Faults of single fields, all of them. Beside JSON pointers there are `#header/NAME`, `#query/NAME` and
    /// `#path/NAME`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// For a failed write: `none` (surely not stored) or `unknown` (send it again with the same `event_id`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// For `projection-behind`: how far the projection is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<ProblemPosition>,
    /// For `projection-behind`: what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<ProblemPosition>,
}

/// A position in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ProblemPosition {
    /// Raised by one each time a journal is restored.
    pub epoch: u8,
    /// The partition.
    pub partition: u16,
    /// The offset within the partition.
    pub offset: u64,
}

impl From<hindcast_domain::Position> for ProblemPosition {
    fn from(position: hindcast_domain::Position) -> Self {
        Self { epoch: position.epoch, partition: position.partition, offset: position.offset }
    }
}

impl Problem {
    /// The body, as the edge renders it and as items of a batch carry it.
    #[must_use]
    pub fn document(&self, request_id: Option<&str>) -> ProblemDocument {
        ProblemDocument {
            type_uri: format!("/problems/{}", self.kind),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: request_id.map(str::to_owned),
            errors: self.errors.clone(),
            outcome: self.outcome,
            reached: self.reached.map(Into::into),
            wanted: self.wanted.map(Into::into),
        }
    }
}
