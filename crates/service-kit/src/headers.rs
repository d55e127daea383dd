//! The headers of the API that are not of HTTP itself.

use hindcast_bodies::FieldError;
use hindcast_domain::Position;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::problem::Problem;

/// On answers to writes: the position written, `EPOCH-PARTITION-OFFSET`.
pub const HINDCAST_POSITION: HeaderName = HeaderName::from_static("hindcast-position");
/// On reads: the position that the answer must cover.
pub const HINDCAST_MIN_POSITION: HeaderName = HeaderName::from_static("hindcast-min-position");
/// On answers: the control offset they are made from; sent back, the least one for the next answer.
pub const HINDCAST_CONTROL: HeaderName = HeaderName::from_static("hindcast-control");
/// On writes: identifies the event in place of `event_id`.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On requests and answers: names the request in logs.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// W3C trace context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// An API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;

/// The position that the answer must cover, if the client names one.
///
/// # Errors
/// 400 when the header is no position.
pub fn min_position(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(text) = only_text(headers, &HINDCAST_MIN_POSITION)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error: hindcast_domain::position::InvalidPosition| {
        Problem::bad_header(&HINDCAST_MIN_POSITION, error.to_string())
    })
}

/// The control offset that the answer must not be older than, if the client names one.
///
/// # Errors
/// 400 when the header is no offset.
pub fn min_control(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(text) = only_text(headers, &HINDCAST_CONTROL)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Problem::bad_header(&HINDCAST_CONTROL, "it is a whole number".to_owned()))
}

/// The event id that an `Idempotency-Key` stands for: the key itself if it is a UUID, else derived from user and key,
/// so that the same key of two users names two events.
///
/// # Errors
/// 400 when the header is empty, too long or not ASCII.
pub fn idempotency_key(headers: &HeaderMap, user_id: &str) -> Result<Option<Uuid>, Problem> {
    let Some(text) = only_text(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    // The draft of the header makes it a quoted string; most clients send it bare.
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_BYTES {
        let detail = format!("it has 1 to {MAX_IDEMPOTENCY_KEY_BYTES} characters");
        return Err(Problem::bad_header(&IDEMPOTENCY_KEY, detail));
    }
    if let Ok(uuid) = Uuid::try_parse(key) {
        return Ok(Some(uuid));
    }
    // A user id has no line feed, so that user and key can't run into each other.
    let name = format!("idempotency-key\n{user_id}\n{key}");
    Ok(Some(Uuid::new_v5(&IDEMPOTENCY_NAMESPACE, name.as_bytes())))
}

/// Never changes: repeated requests must find the event id of the first, across versions too.
const IDEMPOTENCY_NAMESPACE: Uuid = Uuid::from_u128(0x9f1c_2f6e_3c0b_4d55_8f1d_7a52_64b8_10e3);

/// A position as a header's value.
#[must_use]
pub fn position_value(position: Position) -> HeaderValue {
    // Digits and dashes only, which any header may hold.
    HeaderValue::try_from(position.to_string()).unwrap_or(HeaderValue::from_static(""))
}

fn only_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::bad_header(name, "it is given more than once".to_owned()));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(Problem::bad_header(name, "it holds visible ASCII only".to_owned())),
    }
}

impl Problem {
    /// 400: a header that can't be understood.
    #[must_use]
    pub fn bad_header(name: &HeaderName, detail: String) -> Self {
        let mut problem = Self::bad_request(format!("the header {name} can't be understood"));
        problem.errors.push(FieldError { pointer: format!("#header/{name}"), detail });
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::try_from(value).unwrap())])
    }

    #[test]
    fn positions() {
        assert!(min_position(&HeaderMap::new()).unwrap().is_none());
        let position = Position { epoch: 0, partition: 3, offset: 17 };
        let headers = with(&HINDCAST_MIN_POSITION, position_value(position).to_str().unwrap());
        assert_eq!(min_position(&headers).unwrap(), Some(position));
        for bad in ["", "0-3", "x", "0-3-17-1"] {
            let problem = min_position(&with(&HINDCAST_MIN_POSITION, bad)).unwrap_err();
            assert_eq!(problem.status, 400);
        }
        let mut twice = with(&HINDCAST_MIN_POSITION, "0-0-0");
        twice.append(HINDCAST_MIN_POSITION, HeaderValue::from_static("0-0-1"));
        assert_eq!(min_position(&twice).unwrap_err().status, 400);
    }

    #[test]
    fn control_offsets() {
        assert_eq!(min_control(&with(&HINDCAST_CONTROL, "12")).unwrap(), Some(12));
        assert_eq!(min_control(&with(&HINDCAST_CONTROL, "-1")).unwrap_err().status, 400);
    }

    #[test]
    fn idempotency_keys_are_the_users_own() {
        let uuid = "0192f8a0-0000-7000-8000-000000000001";
        let key = |text: &str, user: &str| idempotency_key(&with(&IDEMPOTENCY_KEY, text), user);
        assert_eq!(key(uuid, "user-1").unwrap().unwrap().to_string(), uuid);
        assert_eq!(key(&format!("\"{uuid}\""), "user-1").unwrap().unwrap().to_string(), uuid);
        assert_eq!(key("order 7", "user-1").unwrap(), key("\"order 7\"", "user-1").unwrap());
        assert_ne!(key("order 7", "user-1").unwrap(), key("order 7", "user-2").unwrap());
        assert_eq!(key("order 7", "user-1").unwrap().unwrap().to_string(), "4fd5793c-0508-5172-bad7-4af7209be0eb");
        for bad in ["", "\"\"", &"x".repeat(256)] {
            assert_eq!(key(bad, "user-1").unwrap_err().status, 400, "{bad}");
        }
    }
}
