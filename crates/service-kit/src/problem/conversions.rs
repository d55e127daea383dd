//! What errors of the parts below mean to a client. What they say about the inside goes to the log alone.

use hindcast_bodies::Invalid;
use hindcast_control::ChangeError;
use hindcast_journal::{LogError, Outcome};
use hindcast_reader::{NotYet, ReadError};
use hindcast_views::ViewError;

use super::Problem;

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Malformed { detail } => Self::malformed(detail),
            Invalid::Fields(errors) => Self::validation(errors),
        }
    }
}

/// A failed append. Reads of a log have no outcome; see [`Problem::log_unreadable`].
impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        let problem = match error.outcome {
            Outcome::NotStored => Self::not_stored("the log does not take this at present; nothing was stored"),
            Outcome::Unknown => {
                Self::outcome_unknown("it is not known whether this was stored; send it again with the same event_id")
            }
        };
        problem.with_internal(error.detail)
    }
}

impl Problem {
    /// 503: a log could not be read.
    #[must_use]
    pub fn log_unreadable(error: LogError) -> Self {
        Self::unavailable("the log can't be read at present").with_internal(error.detail)
    }
}

impl From<NotYet> for Problem {
    fn from(NotYet { wanted, reached }: NotYet) -> Self {
        Self::projection_behind(wanted, reached)
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        Self::unavailable("the views can't be read at present").with_internal(error.detail)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotYet(not_yet) => not_yet.into(),
            ReadError::BeyondEnd(position) => {
                let mut problem = Self::gone(format!(
                    "the journal ends before {position}; it may have been restored from an archive that is older"
                ));
                problem.wanted = Some(position);
                problem
            }
            ReadError::Store(error) => error.into(),
            ReadError::Damaged { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Conflict(_) | ChangeError::Refused { .. } => Self::conflict(error.to_string()),
            ChangeError::Log(error) => error.into(),
            ChangeError::NotReadBack(_) => {
                Self::outcome_unknown("the change was recorded, but whether it took effect was not seen in time")
                    .with_internal(error.to_string())
            }
        }
    }
}
