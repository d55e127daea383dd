//! What the driver's errors mean to the port.

use scylla::errors::{DbError, ExecutionError, PrepareError, RequestAttemptError};

use crate::ViewError;

/// Why a request failed.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The store says that the statement is wrong: the table may be gone.
    Invalid(ViewError),
    /// Anything else.
    Other(ViewError),
}

impl Failure {
    pub(super) fn new(to_do: &str, error: &ExecutionError) -> Self {
        let detail = format!("the view store can't {to_do}: {}", one_line(error));
        match attempt_of(error) {
            Some(RequestAttemptError::DbError(DbError::Invalid, _)) => {
                Self::Invalid(ViewError { retryable: false, detail })
            }
            // Grants, nodes and connections can come back; a statement that can't be read or sent stays as it is.
            Some(RequestAttemptError::DbError(DbError::SyntaxError | DbError::ProtocolError, _)) => {
                Self::Other(ViewError { retryable: false, detail })
            }
            _ => Self::Other(ViewError { retryable: !matches!(error, ExecutionError::BadQuery(_)), detail }),
        }
    }

    pub(super) fn timed_out(to_do: &str, after_ms: u128) -> Self {
        Self::Other(ViewError::retryable(format!("the view store can't {to_do}: no answer after {after_ms} ms")))
    }
}

impl From<Failure> for ViewError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Invalid(error) | Failure::Other(error) => error,
        }
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::Other(error)
    }
}

fn attempt_of(error: &ExecutionError) -> Option<&RequestAttemptError> {
    match error {
        ExecutionError::LastAttemptError(error)
        | ExecutionError::PrepareError(PrepareError::AllAttemptsFailed { first_attempt: error }) => Some(error),
        _ => None,
    }
}

/// Whether the store calls a statement wrong.
pub(super) fn is_invalid(error: &PrepareError) -> bool {
    let PrepareError::AllAttemptsFailed { first_attempt } = error else { return false };
    matches!(first_attempt, RequestAttemptError::DbError(DbError::Invalid, _))
}

pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().replace('\n', " ")
}
