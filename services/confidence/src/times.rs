//! Times as they stand in answers.

use hindcast_domain::TimestampUs;
use jiff::Timestamp;

/// RFC 3339 in UTC.
#[must_use]
pub(crate) fn rfc3339(at: TimestampUs) -> String {
    Timestamp::from_microsecond(at.0).unwrap_or_default().to_string()
}
