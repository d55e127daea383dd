//! Settings of the log on Kafka.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::KafkaOpenError;

/// Settings of the log on Kafka.
///
/// Its memory is bounded by twice `max_queued_bytes` (a record is copied to the client when it is sent), and by
/// `max_readers` times `read_buffer_bytes`; a reader that nobody used for a minute is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaLogConfig {
    /// Brokers to begin with, `HOST:PORT` separated by commas. The others are learnt from them.
    pub brokers: String,
    /// What topic names begin with: `PREFIX.journal`, `PREFIX.decisions`, `PREFIX.control`, `PREFIX.dead-letters`.
    pub topic_prefix: String,
    /// Partitions of the topics partitioned by user, 1 to 1,024. Fixed when the topics are made.
    pub partitions: u16,
    /// Copies of each topic that are made, and the least that existing ones must have. 3 in production.
    pub replication_factor: u16,
    /// Copies that must have a record before it is acknowledged. 2 in production.
    pub min_insync_replicas: u16,
    /// Whether topics that don't exist are made; else they are a refusal.
    pub create_topics: bool,
    /// How long an append may take before it fails, in milliseconds, 1,000 to 60,000. Give or take a second.
    pub delivery_timeout_ms: u64,
    /// How long a record waits for others to be sent with it, in milliseconds, at most 100. What is being sent anyway
    /// lets others gather without it.
    pub linger_ms: u64,
    /// How long opening may take, in milliseconds, at least 1,000.
    pub open_timeout_ms: u64,
    /// How long a read waits for records that are known to exist, in milliseconds.
    pub read_timeout_ms: u64,
    /// Most records waiting to be acknowledged; past it an append fails at once.
    pub max_queued_records: usize,
    /// Most bytes of records waiting to be acknowledged; past it an append fails at once.
    pub max_queued_bytes: usize,
    /// Most places that are read from at once without starting over: one per partition folded here, and some more.
    pub max_readers: usize,
    /// Records fetched ahead at each of these places, in bytes. One fetch may exceed it by a mebibyte.
    pub read_buffer_bytes: usize,
    /// How brokers are spoken to.
    pub security: KafkaSecurity,
}

/// How brokers are spoken to. All but plain text needs a program built with the feature `kafka-tls`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSecurity {
    /// Whether connections are encrypted, and whether this program names itself.
    pub protocol: SecurityProtocol,
    /// How this program proves who it is, for the protocols with SASL.
    pub mechanism: SaslMechanism,
    /// Who this program is, for the protocols with SASL.
    pub username: String,
    /// The file that holds the password, for the protocols with SASL. White space around it is ignored.
    pub password_file: Option<PathBuf>,
    /// Certificates of the authority that signed the brokers' (PEM); else those the system trusts.
    pub ca_file: Option<PathBuf>,
    /// This program's certificate (PEM), where brokers ask for one.
    pub certificate_file: Option<PathBuf>,
    /// Its private key (PEM).
    pub key_file: Option<PathBuf>,
}

/// Whether connections are encrypted, and whether this program names itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityProtocol {
    /// Neither.
    #[default]
    Plaintext,
    /// Encrypted.
    Ssl,
    /// It names itself, in the clear: for loopback and tests.
    SaslPlaintext,
    /// Both.
    SaslSsl,
}

/// How this program proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaslMechanism {
    /// Salted challenge and response, SHA-512.
    #[default]
    ScramSha512,
    /// Salted challenge and response, SHA-256.
    ScramSha256,
    /// The password itself: only with `sasl_ssl`.
    Plain,
}

impl Default for KafkaLogConfig {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            topic_prefix: "hindcast".to_owned(),
            partitions: 8,
            replication_factor: 1,
            min_insync_replicas: 1,
            create_topics: true,
            delivery_timeout_ms: 5_000,
            linger_ms: 0,
            open_timeout_ms: 15_000,
            read_timeout_ms: 10_000,
            max_queued_records: 100_000,
            max_queued_bytes: 64 << 20,
            max_readers: 32,
            read_buffer_bytes: 2 << 20,
            security: KafkaSecurity::default(),
        }
    }
}

impl SecurityProtocol {
    /// As the client library calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    pub(super) fn has_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl SaslMechanism {
    /// As the client library calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
        }
    }
}

impl KafkaLogConfig {
    pub(super) fn check(&self) -> Result<(), KafkaOpenError> {
        self.fault().map_or(Ok(()), |fault| Err(KafkaOpenError::Setting(fault)))
    }

    /// What is wrong with the settings, if something is: key and bounds.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let security = &self.security;
        let name_is_valid = |name: &str| {
            let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            (1..=200).contains(&name.len()) && name.bytes().all(valid)
        };
        let fault = if self.brokers.trim().is_empty() {
            "brokers must name at least one HOST:PORT"
        } else if !name_is_valid(&self.topic_prefix) {
            "topic_prefix must be 1 to 200 letters, digits, '.', '_' or '-'"
        } else if !(1..=1_024).contains(&self.partitions) {
            "partitions must be 1 to 1024"
        } else if self.replication_factor == 0 {
            "replication_factor must be at least 1"
        } else if !(1..=self.replication_factor).contains(&self.min_insync_replicas) {
            "min_insync_replicas must be 1 to replication_factor"
        } else if !(1_000..=60_000).contains(&self.delivery_timeout_ms) {
            "delivery_timeout_ms must be 1000 to 60000"
        } else if self.linger_ms > 100 {
            "linger_ms must be at most 100"
        } else if self.open_timeout_ms < 1_000 || self.read_timeout_ms < 100 {
            "open_timeout_ms must be at least 1000, read_timeout_ms at least 100"
        } else if self.max_queued_records == 0 || self.max_queued_bytes == 0 {
            "max_queued_records and max_queued_bytes must not be 0"
        } else if self.max_queued_records > 5_000_000 || self.max_queued_bytes > 1 << 30 {
            "max_queued_records must be at most 5000000 and max_queued_bytes at most 1073741824"
        } else if self.max_readers == 0 || self.read_buffer_bytes < 64 << 10 || self.read_buffer_bytes > 1 << 30 {
            "max_readers must not be 0, and read_buffer_bytes 65536 to 1073741824"
        } else if security.protocol != SecurityProtocol::Plaintext && !cfg!(feature = "kafka-tls") {
            "security.protocol: this program was built without the feature kafka-tls and speaks plaintext only"
        } else if security.protocol.has_sasl() && (security.username.is_empty() || security.password_file.is_none()) {
            "security.username and security.password_file are needed for SASL"
        } else if security.protocol == SecurityProtocol::SaslPlaintext && security.mechanism == SaslMechanism::Plain {
            "security.mechanism plain sends the password itself: use protocol sasl_ssl, or scram-sha-512"
        } else {
            return None;
        };
        Some(fault)
    }
}
