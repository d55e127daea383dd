//! Requests to the registry: bounded in time, repeated while what stands in the way can pass.

use std::{
    thread,
    time::{Duration, Instant},
};

use hindcast_schemas::RegistryError;
use serde::{Deserialize, de::DeserializeOwned};
use ureq::{
    Agent,
    http::{Request, Response},
};

use crate::{config::RegistryConfig, confluent::OpenError};

const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// Schemas are a few kilobytes.
const MAX_ANSWER_BYTES: u64 = 4 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// An attempt that has less time left than this is not begun.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(20);

pub(crate) struct Http {
    agent: Agent,
    base: String,
    authorization: Option<String>,
    timeout: Duration,
}

/// What the registry said no with.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Confluent's code: the status, or the status and two digits more. 0 if the answer was not the registry's own.
    pub(crate) code: u32,
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct Problem {
    error_code: u32,
    message: String,
}

#[derive(Clone, Copy)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
}

impl Http {
    pub(crate) fn new(config: &RegistryConfig) -> Result<Self, OpenError> {
        if let Some(fault) = config.fault() {
            return Err(OpenError(fault.into()));
        }
        let is_https = config.url.starts_with("https://");
        let builder = Agent::config_builder()
            // The registry is a neighbour; a proxy that the environment names is for the world outside.
            .proxy(None)
            .https_only(is_https)
            .http_status_as_error(false);
        Ok(Self {
            agent: with_tls(builder, config, is_https)?.build().into(),
            base: config.url.trim_end_matches('/').to_owned(),
            authorization: authorization(config)?,
            timeout: Duration::from_millis(config.timeout_ms),
        })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks until there is an answer that is one, for as long as is configured.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Result<T, Refusal>, RegistryError> {
        let deadline = Instant::now() + self.timeout;
        let mut pause = FIRST_PAUSE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let why = match self.attempt(method, path, body, left) {
                Ok((status, text)) if (200..300).contains(&status) => {
                    return serde_json::from_str(&text)
                        .map(Ok)
                        .map_err(|error| self.no_registry(path, &error.to_string()));
                }
                Ok((status, text)) if can_pass(status) => {
                    format!("answers {status} {}", refusal(status, &text).message)
                }
                Ok((status, text)) => return Ok(Err(refusal(status, &text))),
                Err(error) => format!("can't be asked: {error}"),
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left < pause + SHORTEST_ATTEMPT {
                let within = self.timeout.as_millis();
                let detail = format!(
                    "{}{path} {why} (tried again and again for {within} ms); start it, or name it in registry.url",
                    self.base
                );
                return Err(RegistryError { retryable: true, detail });
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
        timeout: Duration,
    ) -> Result<(u16, String), ureq::Error> {
        let method = match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        };
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.base)).header("accept", CONTENT_TYPE);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", CONTENT_TYPE).body(body.to_string())?;
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(timeout)).build())
            }
            None => {
                let request = request.body(())?;
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(timeout)).build())
            }
        };
        let mut response: Response<_> = response?;
        let text = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).lossy_utf8(true).read_to_string()?;
        Ok((response.status().as_u16(), text))
    }

    /// What answers is no registry, or of an unknown kind.
    pub(crate) fn no_registry(&self, path: &str, what: &str) -> RegistryError {
        let detail = format!("{}{path} does not answer like a schema registry ({what}); check registry.url", self.base);
        // A proxy before it may answer for a while.
        RegistryError { retryable: true, detail }
    }
}

fn can_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

fn refusal(status: u16, text: &str) -> Refusal {
    match serde_json::from_str::<Problem>(text) {
        Ok(problem) => Refusal { status, code: problem.error_code, message: problem.message.replace('\n', " ") },
        Err(_) => Refusal { status, code: 0, message: String::new() },
    }
}

fn authorization(config: &RegistryConfig) -> Result<Option<String>, OpenError> {
    use base64::{Engine, prelude::BASE64_STANDARD};

    let (Some(username), Some(path)) = (&config.username, &config.password_file) else { return Ok(None) };
    let password = std::fs::read_to_string(path)
        .map_err(|error| OpenError(format!("password_file {} can't be read: {error}", path.display())))?;
    Ok(Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{}", password.trim())))))
}

type AgentConfig = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

#[cfg(feature = "tls")]
fn with_tls(builder: AgentConfig, config: &RegistryConfig, is_https: bool) -> Result<AgentConfig, OpenError> {
    use std::sync::Arc;

    use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

    let path = match (&config.ca_file, is_https) {
        (None, false) => return Ok(builder),
        (Some(_), false) => return Err(OpenError("ca_file is given, but url does not begin with https://".into())),
        (None, true) => return Err(OpenError("https needs ca_file".into())),
        (Some(path), true) => path,
    };
    let unusable = |why: String| OpenError(format!("ca_file {}: {why}", path.display()));
    let pem = std::fs::read(path).map_err(|error| unusable(format!("can't be read: {error}")))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(unusable("holds no certificate".into()));
    }
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    Ok(builder.tls_config(tls))
}

#[cfg(not(feature = "tls"))]
fn with_tls(builder: AgentConfig, config: &RegistryConfig, is_https: bool) -> Result<AgentConfig, OpenError> {
    if is_https || config.ca_file.is_some() {
        return Err(OpenError("https or ca_file is given, but this binary was built without the feature `tls`".into()));
    }
    Ok(builder)
}
