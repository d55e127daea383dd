//! A registry with Confluent's REST API: Confluent's own, Apicurio, Karapace, Redpanda.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

use hindcast_schemas::{Registry, RegistryError};
use serde::Deserialize;
use serde_json::json;

use crate::{
    config::RegistryConfig,
    http::{Http, Method, Refusal},
};

/// What every version of a subject has to be to every other.
const COMPATIBILITY: &str = "FULL_TRANSITIVE";
/// Confluent's codes.
const NO_SUBJECT: u32 = 40401;
const NO_SCHEMA: u32 = 40403;
/// An incompatible schema; with some registries also one that is being registered by someone else.
const CONFLICT: u16 = 409;
/// How often a change is tried that meets a conflict.
const ATTEMPTS: u32 = 3;

/// The configuration is no good. One line, for operators.
#[derive(Debug, thiserror::Error)]
#[error("registry: {0}")]
pub struct OpenError(pub(crate) String);

/// A registry with Confluent's REST API. What it said of an id or a schema is kept for ever, as it never changes.
///
/// Asking blocks the calling thread, for at most [`RegistryConfig::timeout_ms`] a question; giving an id to a new schema
/// takes three, and a few more where others do the same at that moment.
pub struct ConfluentRegistry {
    http: Http,
    register: bool,
    ids: RwLock<HashMap<(String, String), u32>>,
    schemas: RwLock<HashMap<u32, Arc<str>>>,
}

#[derive(Deserialize)]
struct Id {
    id: u32,
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

#[derive(Deserialize)]
struct Verdict {
    is_compatible: bool,
}

impl ConfluentRegistry {
    /// A client; asks for nothing yet.
    ///
    /// # Errors
    /// When the configuration is no good.
    pub fn new(config: &RegistryConfig) -> Result<Self, OpenError> {
        let http = Http::new(config)?;
        Ok(Self { http, register: config.register, ids: RwLock::default(), schemas: RwLock::default() })
    }

    /// Whether a schema could be a next version of its subject, by the registry's judgement. Changes nothing.
    ///
    /// # Errors
    /// When the registry can't be asked, or the schema is none.
    pub fn is_compatible(&self, subject: &str, schema_json: &str) -> Result<bool, RegistryError> {
        let path = format!("/compatibility/subjects/{}/versions", encoded(subject));
        let body = json!({ "schema": schema_json });
        match self.http.ask::<Verdict>(Method::Post, &path, Some(&body))? {
            Ok(verdict) => Ok(verdict.is_compatible),
            // The first version is compatible with all that were before.
            Err(refusal) if refusal.code == NO_SUBJECT => Ok(true),
            Err(refusal) => Err(self.refused(&path, &format!("{subject} can't be judged"), &refusal)),
        }
    }

    /// The id of a schema that is registered.
    fn find(&self, subject: &str, schema_json: &str) -> Result<Option<u32>, RegistryError> {
        let path = format!("/subjects/{}", encoded(subject));
        match self.http.ask::<Id>(Method::Post, &path, Some(&json!({ "schema": schema_json })))? {
            Ok(Id { id }) => Ok(Some(id)),
            Err(refusal) if [NO_SUBJECT, NO_SCHEMA].contains(&refusal.code) => Ok(None),
            Err(refusal) => Err(self.refused(&path, &format!("{subject} can't be looked for"), &refusal)),
        }
    }

    fn register(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        if !self.register {
            let detail = format!(
                "{subject} is not in {} as it is here; run `hindcast schema register`, or set registry.register",
                self.http.base()
            );
            return Err(RegistryError { retryable: false, detail });
        }
        // Before the schema, so that it is judged by that.
        self.demand_compatibility(subject)?;
        let path = format!("/subjects/{}/versions", encoded(subject));
        let mut attempts_left = ATTEMPTS;
        loop {
            let refusal = match self.http.ask::<Id>(Method::Post, &path, Some(&json!({ "schema": schema_json })))? {
                Ok(Id { id }) => {
                    tracing::info!(subject, id, "a schema was registered");
                    return Ok(id);
                }
                Err(refusal) => refusal,
            };
            if refusal.status != CONFLICT {
                return Err(self.refused(&path, &format!("{subject} can't be registered"), &refusal));
            }
            // Incompatible, or another process registered it, or the subject, at the same moment.
            if let Some(id) = self.find(subject, schema_json)? {
                return Ok(id);
            }
            attempts_left -= 1;
            if attempts_left == 0 {
                let why = refusal.message;
                let detail = format!("the schema of {subject} is not compatible with its earlier versions: {why}");
                return Err(RegistryError { retryable: false, detail });
            }
        }
    }

    fn demand_compatibility(&self, subject: &str) -> Result<(), RegistryError> {
        let path = format!("/config/{}", encoded(subject));
        let body = json!({ "compatibility": COMPATIBILITY });
        let mut attempts_left = ATTEMPTS;
        loop {
            match self.http.ask::<serde_json::Value>(Method::Put, &path, Some(&body))? {
                Ok(_) => return Ok(()),
                // Somebody else demands something at the same moment.
                Err(refusal) if refusal.status == CONFLICT && attempts_left > 1 => attempts_left -= 1,
                Err(refusal) => {
                    return Err(self.refused(&path, &format!("{subject} can't be made {COMPATIBILITY}"), &refusal));
                }
            }
        }
    }

    fn refused(&self, path: &str, what: &str, refusal: &Refusal) -> RegistryError {
        let Refusal { status, code, message } = refusal;
        match status {
            // No registry says so of a path that is its own: something else answers.
            404 if *code == 0 => self.http.no_registry(path, &format!("404 {message}")),
            401 | 403 => RegistryError {
                retryable: false,
                detail: format!("{what}: {} refuses our credentials ({status})", self.http.base()),
            },
            _ => RegistryError { retryable: false, detail: format!("{what}: {status} {message}") },
        }
    }
}

impl Registry for ConfluentRegistry {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        let key = (subject.to_owned(), schema_json.to_owned());
        if let Some(id) = known(&self.ids, &key) {
            return Ok(id);
        }
        let id = match self.find(subject, schema_json)? {
            Some(id) => id,
            None => self.register(subject, schema_json)?,
        };
        self.ids.write().unwrap_or_else(PoisonError::into_inner).insert(key, id);
        Ok(id)
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        if let Some(schema) = known(&self.schemas, &id) {
            return Ok(Some(schema));
        }
        let path = format!("/schemas/ids/{id}");
        match self.http.ask::<Schema>(Method::Get, &path, None)? {
            Ok(Schema { schema }) => {
                let schema: Arc<str> = schema.into();
                self.schemas.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&schema));
                Ok(Some(schema))
            }
            // Only its own word counts: a wrong path or a proxy says 404 as well.
            Err(refusal) if refusal.status == 404 && refusal.code == NO_SCHEMA => Ok(None),
            // Whatever stands in the way has to be mended; the record is not bad for that.
            Err(refusal) => {
                let refused = self.refused(&path, &format!("schema {id} can't be fetched"), &refusal);
                Err(RegistryError { retryable: true, ..refused })
            }
        }
    }
}

fn known<K: Eq + Hash, V: Clone>(kept: &RwLock<HashMap<K, V>>, key: &K) -> Option<V> {
    kept.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

/// A subject as a segment of a path.
fn encoded(subject: &str) -> String {
    let mut encoded = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

impl fmt::Debug for ConfluentRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfluentRegistry").field("url", &self.http.base()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_stay_one_segment() {
        assert_eq!(encoded("hindcast.SignalReceived"), "hindcast.SignalReceived");
        assert_eq!(encoded("a/b c"), "a%2Fb%20c");
    }
}
