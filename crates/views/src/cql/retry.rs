//! Which requests the driver sends again by itself.

use scylla::{
    errors::{DbError, RequestAttemptError},
    policies::retry::{RequestInfo, RetryDecision, RetryPolicy, RetrySession},
};

/// Sends a request to another node, once, when the first one can't be the reason.
///
/// Every statement of ours can be repeated, also when it is not known whether it happened: a row carries its version. More
/// than one repetition is left to the callers, who pause before: they know whether the answer is still wanted.
#[derive(Debug)]
pub(super) struct OnceElsewhere;

struct Session {
    repeated: bool,
}

impl RetryPolicy for OnceElsewhere {
    fn new_session(&self) -> Box<dyn RetrySession> {
        Box::new(Session { repeated: false })
    }
}

impl RetrySession for Session {
    fn decide_should_retry(&mut self, request: RequestInfo<'_>) -> RetryDecision {
        if !request.is_idempotent || self.repeated || !may_pass_elsewhere(request.error) {
            return RetryDecision::DontRetry;
        }
        self.repeated = true;
        RetryDecision::RetryNextTarget(None)
    }

    fn reset(&mut self) {
        self.repeated = false;
    }
}

fn may_pass_elsewhere(error: &RequestAttemptError) -> bool {
    match error {
        RequestAttemptError::BrokenConnectionError(_) | RequestAttemptError::UnableToAllocStreamId => true,
        RequestAttemptError::DbError(error, _) => matches!(
            error,
            DbError::Unavailable { .. }
                | DbError::Overloaded
                | DbError::IsBootstrapping
                | DbError::ReadTimeout { .. }
                | DbError::WriteTimeout { .. }
                | DbError::ReadFailure { .. }
                | DbError::WriteFailure { .. }
                | DbError::ServerError
        ),
        _ => false,
    }
}
