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
            ReadError::Foreign { wanted, partition, epoch } => Self::bad_request(format!(
                "{wanted} is no position of the caller's journal, which is partition {partition}, epoch {epoch}"
            )),
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

#[cfg(test)]
mod tests {
    use hindcast_bodies::FieldError;
    use hindcast_control::Entity;
    use hindcast_domain::Position;
    use serde_json::json;

    use super::*;

    const SECRET: &str = "/secret/folder";

    #[track_caller]
    fn check(problem: impl Into<Problem>, status: u16, kind: &str) -> serde_json::Value {
        let problem: Problem = problem.into();
        assert_eq!((problem.status.as_u16(), problem.kind), (status, kind));
        let document = serde_json::to_value(problem.document(Some("r-1"))).unwrap();
        assert!(!document.to_string().contains(SECRET), "{document}");
        assert_eq!((&document["status"], &document["instance"]), (&json!(status), &json!("r-1")));
        document
    }

    #[test]
    fn each_error_has_its_answer_and_the_inside_stays_inside() {
        let wanted = Position { epoch: 0, partition: 3, offset: 17 };
        let reached = Some(Position { offset: 9, ..wanted });

        check(Invalid::Malformed { detail: "line 1".to_owned() }, 400, "malformed-body");
        let faults = vec![FieldError::new("/rsi", "must be a number"), FieldError::new("", "is empty")];
        let document = check(Invalid::Fields(faults), 422, "validation");
        assert_eq!(document["errors"][0], json!({"pointer": "/rsi", "detail": "must be a number"}));

        assert_eq!(check(LogError::not_stored(SECRET), 503, "unavailable")["outcome"], "none");
        assert_eq!(check(LogError::unknown(SECRET), 503, "unavailable")["outcome"], "unknown");
        assert_eq!(Problem::from(LogError::unknown(SECRET)).internal.as_deref(), Some(SECRET));
        check(Problem::log_unreadable(LogError::not_stored(SECRET)), 503, "unavailable");

        let behind = check(ReadError::NotYet(NotYet { wanted, reached }), 503, "projection-behind");
        assert_eq!(behind["wanted"], json!({"epoch": 0, "partition": 3, "offset": 17}));
        assert_eq!(behind["reached"]["offset"], 9);
        let nowhere = check(NotYet { wanted, reached: None }, 503, "projection-behind");
        assert!(nowhere.get("reached").is_none(), "{nowhere}");
        check(ReadError::BeyondEnd(wanted), 410, "gone");
        check(ViewError { retryable: true, detail: SECRET.to_owned() }, 503, "unavailable");
        check(ReadError::Damaged { table: SECRET.to_owned(), detail: SECRET.to_owned() }, 500, "internal");

        let entity = Entity("scoring".to_owned());
        check(ChangeError::Conflict(entity.clone()), 409, "conflict");
        check(ChangeError::Refused { entity, why: "it is published already".to_owned() }, 409, "conflict");
        check(ChangeError::Log(LogError::not_stored(SECRET)), 503, "unavailable");
        assert_eq!(check(ChangeError::NotReadBack(7), 503, "unavailable")["outcome"], "unknown");
    }
}
