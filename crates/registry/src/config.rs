//! Where the registry is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the registry is and what may be changed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// The base of Confluent's API, for example `http://127.0.0.1:8081`; with Apicurio it ends with `/apis/ccompat/v7`.
    pub url: String,
    /// Whether schemas that the registry does not have are registered when a process starts. Without, `hindcast schema
    /// register` has to be run before.
    pub register: bool,
    /// Who logs in (basic authentication), with the password in [`Self::password_file`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The file that holds the password; white space around it is no part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Certificates, PEM, one of which has signed the registry's. Needed for `https`, and a binary that was built with the
    /// feature `tls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take, all attempts together.
    pub timeout_ms: u64,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8081".into(),
            register: true,
            username: None,
            password_file: None,
            ca_file: None,
            timeout_ms: 5_000,
        }
    }
}

impl RegistryConfig {
    /// What is wrong with the settings, if something is: keys and bounds.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let is_url = ["http://", "https://"].iter().any(|scheme| self.url.starts_with(scheme));
        Some(if !is_url {
            "url must begin with http:// or https://"
        } else if self.timeout_ms == 0 {
            "timeout_ms must be at least 1"
        } else if self.username.is_some() != self.password_file.is_some() {
            "username and password_file go together"
        } else {
            return None;
        })
    }
}
