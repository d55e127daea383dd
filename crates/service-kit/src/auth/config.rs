//! What can be set about credentials and limits.

use std::{net::IpAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{Faults, Validate};

/// What can be set about credentials and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// How many requests a user may make in a minute, in the long run.
    pub requests_per_minute: u32,
    /// How many of them at once.
    pub burst: u32,
    /// How many failed authentications an address may make in a minute, and at once, before it is turned away unread.
    pub failures_per_minute: u32,
    /// Users whose limits are remembered; the least active are forgotten first.
    pub tracked_users: usize,
    /// Addresses whose failures are remembered; the least active are forgotten first.
    pub tracked_addresses: usize,
    /// Proxies whose `X-Forwarded-For` tells the address; for all others it is that of the connection.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long a token is valid, seconds.
    pub token_lifetime_s: u32,
    /// Who issues tokens; the same on all replicas.
    pub issuer: String,
    /// Whom tokens are for; the same on all replicas.
    pub audience: String,
    /// The secret file with the keys that sign tokens, shared by replicas. Without it one is made in the data folder.
    pub signing_keys_file: Option<PathBuf>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            requests_per_minute: 100,
            burst: 100,
            failures_per_minute: 60,
            tracked_users: 200_000,
            tracked_addresses: 100_000,
            trusted_proxies: Vec::new(),
            token_lifetime_s: 900,
            issuer: "hindcast".to_owned(),
            audience: "hindcast".to_owned(),
            signing_keys_file: None,
        }
    }
}

impl Validate for AuthConfig {
    fn validate(&self, faults: &mut Faults) {
        faults.at_least("requests_per_minute", self.requests_per_minute, 1);
        faults.at_least("burst", self.burst, 1);
        faults.at_least("failures_per_minute", self.failures_per_minute, 1);
        faults.at_least("tracked_users", self.tracked_users, 1_000);
        faults.at_least("tracked_addresses", self.tracked_addresses, 1_000);
        faults.within("token_lifetime_s", self.token_lifetime_s, 60, 3_600);
        faults.check(!self.issuer.is_empty(), "issuer", "must not be empty");
        faults.check(!self.audience.is_empty(), "audience", "must not be empty");
    }
}
