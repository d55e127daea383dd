//! Why a request came to nothing, in one line.

use std::error::Error;

use http::StatusCode;

use super::Problem;
use crate::exit::Failure;

/// Why a request came to nothing. The text is one line for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is none of a running system.
    #[error("{url:?} is not the URL of a running system: {reason}; give one like http://127.0.0.1:8080 with --url")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The URL asks for TLS.
    #[error(
        "{url}: TLS is terminated by a proxy in front of hindcast and not spoken by this build; use the http:// \
         address behind the proxy, or one of a local TLS tunnel"
    )]
    TlsNotSpoken {
        /// What was given.
        url: String,
    },
    /// The key can't be a key.
    #[error("the key in HINDCAST_API_KEY has characters that no key has; copy it again, without a line break")]
    BadKey,
    /// No connection could be made.
    #[error("cannot reach {url}: {reason}; start it with `hindcast serve`, or name another with --url")]
    Unreachable {
        /// Where.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {url} broke: {reason}; try again")]
    Broken {
        /// Where.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// No answer came in time.
    #[error("{url} did not answer within {seconds} s; see {url}/health")]
    TimedOut {
        /// Where.
        url: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// What was to be sent can't be written as JSON.
    #[error("cannot send this: {reason}")]
    CannotSend {
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is none of this API.
    #[error("the answer (status {status}) is not one of hindcast: {detail}; does --url lead to it?")]
    NotUnderstood {
        /// Its status.
        status: StatusCode,
        /// What is wrong with it.
        detail: String,
    },
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::BadUrl { .. } | ClientError::TlsNotSpoken { .. } | ClientError::BadKey => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

/// The cause at the bottom: those above only say that something with a connection failed.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
