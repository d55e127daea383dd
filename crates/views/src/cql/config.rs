//! Where the store is, how it is made, and how much is asked of it at once.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::keyspace;

/// Where the store is, how it is made, and how much is asked of it at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CqlViewsConfig {
    /// Some of the cluster's nodes, `host:port`; the others are learnt from them. At least one.
    pub nodes: Vec<String>,
    /// The datacenter that reads and writes go to. Has to be given where the cluster has several, and every process has
    /// to name the same one: a quorum of one datacenter doesn't see what only another one's has acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
    /// The keyspace: lower-case letters, digits and `_`, at most 48 characters.
    pub keyspace: String,
    /// Copies of each row in each datacenter. A keyspace that is there already has to have as many.
    pub replication_factor: u16,
    /// Whether the keyspace is made where it is missing.
    pub create_keyspace: bool,
    /// Whether a generation's table is made by the first write to it. Needed by projectors only.
    pub create_tables: bool,
    /// Who logs in, with the password in [`Self::password_file`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The file that holds the password; white space around it is no part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Certificates, PEM, one of which has signed those of the nodes. With it connections are encrypted, and the nodes'
    /// certificates have to name their IP addresses. Needs a binary that was built with the feature `cql-tls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take to be made.
    pub connect_timeout_ms: u64,
    /// How long one row's read or write may take, and how long it may wait for others before.
    pub request_timeout_ms: u64,
    /// Rows that are asked for or written at a time by the whole process. A quarter is kept for reads, so that they don't
    /// wait for a big write.
    pub in_flight: u16,
    /// Reads that may wait; one more is refused.
    pub read_queue: usize,
    /// Writes that may wait; one more is refused.
    pub write_queue: usize,
}

impl Default for CqlViewsConfig {
    fn default() -> Self {
        Self {
            nodes: vec!["127.0.0.1:9042".into()],
            datacenter: None,
            keyspace: "hindcast".into(),
            replication_factor: 1,
            create_keyspace: true,
            create_tables: true,
            username: None,
            password_file: None,
            ca_file: None,
            connect_timeout_ms: 5_000,
            request_timeout_ms: 3_000,
            in_flight: 128,
            read_queue: 4_096,
            write_queue: 64,
        }
    }
}

impl CqlViewsConfig {
    /// What is wrong with the settings, if something is: keys and bounds.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let is_no_queue = |queue: &usize| !(1..=Semaphore::MAX_PERMITS).contains(queue);
        Some(if self.nodes.is_empty() {
            "nodes must name at least one"
        } else if !keyspace::is_name(&self.keyspace) {
            "keyspace must be lower-case letters, digits and _, at most 48 characters"
        } else if [self.replication_factor, self.in_flight].contains(&0) {
            "replication_factor and in_flight must be at least 1"
        } else if [self.read_queue, self.write_queue].iter().any(is_no_queue) {
            "read_queue and write_queue must be at least 1"
        } else if [self.connect_timeout_ms, self.request_timeout_ms].contains(&0) {
            "connect_timeout_ms and request_timeout_ms must be at least 1"
        } else if self.username.is_some() != self.password_file.is_some() {
            "username and password_file go together"
        } else {
            return None;
        })
    }
}
