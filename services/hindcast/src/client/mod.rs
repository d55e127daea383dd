//! A small client of the HTTP API: what the commands use, and what another program would do in their place.
//!
//! Connections are kept and shared. What was refused for a while (429, 503) is sent again, the very same bytes, after
//! the time the answer names; what is sent again carries the same `event_id`, so that it counts once.

mod api;
mod base_url;
pub mod bodies;
mod error;
mod problem;
mod retry;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client as Connections, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::de::DeserializeOwned;

use base_url::BaseUrl;
pub use error::ClientError;
pub use problem::{FieldFault, Problem};
pub use retry::RetryLimits;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one answer may take, from the first byte sent to the last received.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read: a batch of 1,000 results with their problems is far below.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Kept connections: more than this many requests at once open short-lived ones.
const MAX_IDLE_CONNECTIONS: usize = 128;

/// The header that says up to which position the answer has to know the journal.
const MIN_POSITION: &str = "hindcast-min-position";
/// The header that says where a write stands in the journal.
const POSITION: &str = "hindcast-position";

/// A client of one running system, with one credential.
#[derive(Debug)]
pub struct Client {
    connections: Connections<HttpConnector, Full<Bytes>>,
    base: BaseUrl,
    key: Option<HeaderValue>,
    limits: RetryLimits,
    // A server that never answered is probably not there; one that did is probably being restarted.
    answered: AtomicBool,
}

/// What to send.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    body: Option<(Bytes, &'static str)>,
    min_position: Option<HeaderValue>,
    repeatable: bool,
}

impl Call {
    /// Reads something.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, min_position: None, repeatable: true }
    }

    /// Deletes something; doing it twice is the same as doing it once.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// Sends a JSON body that says itself whether it was seen before, by its event ids: it may be sent again when it
    /// is not known whether it arrived.
    #[must_use]
    pub fn post_event(path: impl Into<String>, json: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: Some((json.into(), "application/json")), ..Self::get(path) }
    }

    /// Sends a JSON body that would count twice if it were sent twice.
    #[must_use]
    pub fn post_once(path: impl Into<String>, json: impl Into<Bytes>) -> Self {
        Self { repeatable: false, ..Self::post_event(path, json) }
    }

    /// Sends lines of JSON, each with its event id.
    #[must_use]
    pub fn post_events(path: impl Into<String>, ndjson: impl Into<Bytes>) -> Self {
        Self { body: Some((ndjson.into(), "application/x-ndjson")), ..Self::post_event(path, Bytes::new()) }
    }

    /// Asks for an answer that knows the journal up to a position that an earlier answer named.
    #[must_use]
    pub fn after(self, position: Option<&Answer>) -> Self {
        Self { min_position: position.and_then(|answer| answer.position.clone()), ..self }
    }
}

/// What came back, with a status of 2xx.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body as it came.
    pub body: Bytes,
    position: Option<HeaderValue>,
}

impl Answer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// When it is something else: then the URL leads to some other program.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ClientError::NotUnderstood { status: self.status, detail: error.to_string() })
    }
}

impl Client {
    /// A client of the system at a URL such as `http://127.0.0.1:8080`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL is none, or one of TLS, or the key has characters that no key has.
    pub fn new(url: &str, key: Option<&str>, limits: RetryLimits) -> Result<Self, ClientError> {
        let base = BaseUrl::parse(url)?;
        let key = key.map(key_header).transpose()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connections = Connections::builder(TokioExecutor::new())
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { connections, base, key, limits, answered: AtomicBool::new(false) })
    }

    /// The URL the system is at, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// Sends, again where that may help, until there is an answer of 2xx.
    ///
    /// # Errors
    /// When the server can't be reached, refuses for good, or for longer than the limits allow.
    pub async fn send(&self, call: &Call) -> Result<Answer, ClientError> {
        let mut attempts = self.limits.begin();
        loop {
            let error = match self.send_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let worth_it = match &error {
                ClientError::Refused(problem) => problem.is_temporary(call.repeatable),
                ClientError::Unreachable { .. } => self.answered.load(Ordering::Relaxed),
                ClientError::Broken { .. } | ClientError::TimedOut { .. } => call.repeatable,
                _ => false,
            };
            let named = match &error {
                ClientError::Refused(problem) => problem.retry_after,
                _ => None,
            };
            match attempts.next_wait(named).filter(|_| worth_it) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    /// Sends and reads the answer's JSON.
    ///
    /// # Errors
    /// As [`Client::send`], and when the answer is something else.
    pub async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ClientError> {
        self.send(call).await?.json()
    }

    async fn send_once(&self, call: &Call) -> Result<Answer, ClientError> {
        let request = self.request(call)?;
        let url = || self.url().to_owned();
        let exchange = async {
            let response = self.connections.request(request).await.map_err(|error| {
                let reason = error::innermost(&error);
                if error.is_connect() {
                    ClientError::Unreachable { url: url(), reason }
                } else {
                    ClientError::Broken { url: url(), reason }
                }
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| ClientError::Broken { url: url(), reason: error::innermost(error.as_ref()) })?
                .to_bytes();
            Ok((head, body))
        };
        let (head, body) = tokio::time::timeout(ANSWER_TIMEOUT, exchange)
            .await
            .map_err(|_| ClientError::TimedOut { url: url(), seconds: ANSWER_TIMEOUT.as_secs() })??;
        self.answered.store(true, Ordering::Relaxed);
        if head.status.is_success() {
            return Ok(Answer { status: head.status, position: head.headers.get(POSITION).cloned(), body });
        }
        Err(ClientError::Refused(Box::new(Problem::read(head.status, &head.headers, &body))))
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::builder().method(call.method.clone()).uri(self.base.join(&call.path));
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        if let Some(position) = &call.min_position {
            request = request.header(MIN_POSITION, position);
        }
        let body = match &call.body {
            Some((bytes, content_type)) => {
                request = request.header(header::CONTENT_TYPE, *content_type);
                bytes.clone()
            }
            None => Bytes::new(),
        };
        request
            .body(Full::new(body))
            .map_err(|error| ClientError::BadUrl { url: self.base.join(&call.path), reason: error.to_string() })
    }
}

fn key_header(key: &str) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::from_str(key).map_err(|_| ClientError::BadKey)?;
    value.set_sensitive(true);
    Ok(value)
}
