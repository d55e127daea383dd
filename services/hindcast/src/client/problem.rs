//! An answer that is not 2xx, as the server explains it (RFC 9457).

use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldFault {
    /// JSON pointer; empty for the whole body.
    #[serde(default)]
    pub pointer: String,
    /// What is wrong.
    #[serde(default)]
    pub detail: String,
}

/// An answer that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The kind of the problem, in a few words.
    pub title: String,
    /// What happened this time.
    pub detail: String,
    /// The request's id, to be found in the server's log.
    pub instance: Option<String>,
    /// Whether a refused write happened: `none` or `unknown`.
    pub outcome: Option<String>,
    /// All faults of the body.
    pub errors: Vec<FieldFault>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    title: String,
    detail: String,
    instance: Option<String>,
    outcome: Option<String>,
    errors: Vec<FieldFault>,
}

impl Problem {
    /// Reads an answer; one that is no problem+json (of a proxy, perhaps) gives what can be had from its status.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let title =
            if body.title.is_empty() { status.canonical_reason().unwrap_or("refused").to_owned() } else { body.title };
        let retry_after = headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs);
        Self {
            status,
            title,
            detail: body.detail,
            instance: body.instance,
            outcome: body.outcome,
            errors: body.errors,
            retry_after,
        }
    }

    /// Whether sending the same again can help. What may have happened already is sent again only if it is
    /// `repeatable`.
    pub(super) fn is_temporary(&self, repeatable: bool) -> bool {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::SERVICE_UNAVAILABLE => repeatable || self.outcome.as_deref() == Some("none"),
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => repeatable,
            _ => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.title, self.status.as_u16())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        for (number, fault) in self.errors.iter().enumerate() {
            let separator = if number == 0 { ": " } else { "; " };
            let space = if fault.pointer.is_empty() { "" } else { " " };
            write!(f, "{separator}{}{space}{}", fault.pointer, fault.detail)?;
        }
        match self.status {
            StatusCode::UNAUTHORIZED => f.write_str("; put a valid key into HINDCAST_API_KEY")?,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => f.write_str("; try again later")?,
            _ => {}
        }
        match &self.instance {
            Some(id) if self.status.is_server_error() => write!(f, " (request {id})"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told() {
        let body = br#"{"type":"/problems/validation","title":"Validation failed","status":422,
            "detail":"2 fields","errors":[{"pointer":"/rsi","detail":"must be at most 100"},{"pointer":"/side","detail":"is missing"}]}"#;
        let problem = Problem::read(StatusCode::UNPROCESSABLE_ENTITY, &HeaderMap::new(), body);
        assert_eq!(
            problem.to_string(),
            "Validation failed (422): 2 fields: /rsi must be at most 100; /side is missing"
        );
        assert!(!problem.is_temporary(true));
    }

    #[test]
    fn an_answer_of_a_proxy_is_told_by_its_status() {
        let problem = Problem::read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>oops</html>");
        assert_eq!(problem.to_string(), "Bad Gateway (502)");
        assert!(problem.is_temporary(true) && !problem.is_temporary(false));
    }

    #[test]
    fn what_may_have_happened_is_not_repeated_unless_it_counts_once() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "2".parse().unwrap());
        let read = |outcome: &str| {
            let body = format!(r#"{{"title":"x","outcome":"{outcome}"}}"#);
            Problem::read(StatusCode::SERVICE_UNAVAILABLE, &headers, body.as_bytes())
        };
        assert!(read("none").is_temporary(false));
        assert!(!read("unknown").is_temporary(false));
        assert!(read("unknown").is_temporary(true));
        assert_eq!(read("none").retry_after, Some(Duration::from_secs(2)));
    }
}
