//! Makes the clients that everything else here uses: settings common to all, and where they report to.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
};

use super::{KafkaLogConfig, KafkaOpenError, health::Health};

/// Larger than any record: a body of a mebibyte, its key, headers and framing.
pub(super) const MAX_MESSAGE_BYTES: &str = "2097152";

/// Where a client of the library reports to.
#[derive(Clone)]
pub(super) struct Reports {
    health: Arc<Health>,
    last_error: Arc<Mutex<Option<String>>>,
}

pub(super) type Consumer = BaseConsumer<Reports>;

impl Reports {
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self { health, last_error: Arc::default() }
    }

    /// What went wrong last, for messages: the library tells the cause here, and the consequence elsewhere.
    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // What is worth telling the operator is told with its consequences: by failed appends, reads and health.
        tracing::debug!(%error, reason, "the Kafka client reports");
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
        if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::Fatal)) {
            self.health.suspect(reason);
        }
    }
}

impl ConsumerContext for Reports {}

/// Writes the library's own messages to ours.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, "Kafka client: {message}");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => tracing::warn!(facility, "Kafka client: {message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(facility, "Kafka client: {message}"),
        RDKafkaLogLevel::Debug => tracing::debug!(facility, "Kafka client: {message}"),
    }
}

/// What all clients have in common. Reads the password file.
pub(super) fn common(config: &KafkaLogConfig) -> Result<ClientConfig, KafkaOpenError> {
    let mut client = ClientConfig::new();
    client
        .set_log_level(RDKafkaLogLevel::Warning)
        .set("bootstrap.servers", &config.brokers)
        .set("client.id", "hindcast")
        .set("socket.nagle.disable", "true")
        .set("socket.keepalive.enable", "true")
        .set("socket.connection.setup.timeout.ms", "5000")
        // A broker that comes back is used soon.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        // A broker that has just come back may not know a topic yet, and a member of a consumer group that was told so
        // has no partitions until it asks again (librdkafka issue 2981): by default after five minutes.
        .set("topic.metadata.refresh.interval.ms", "10000")
        // A connection that is refused or cut is told with its consequences.
        .set("log.connection.close", "false");
    let security = &config.security;
    client.set("security.protocol", security.protocol.name());
    if security.protocol.has_sasl()
        && let Some(path) = &security.password_file
    {
        let password =
            fs::read_to_string(path).map_err(|source| KafkaOpenError::Password { path: path.clone(), source })?;
        client
            .set("sasl.mechanism", security.mechanism.name())
            .set("sasl.username", &security.username)
            .set("sasl.password", password.trim());
    }
    for (key, path) in [
        ("ssl.ca.location", &security.ca_file),
        ("ssl.certificate.location", &security.certificate_file),
        ("ssl.key.location", &security.key_file),
    ] {
        if let Some(path) = path {
            client.set(key, path.display().to_string());
        }
    }
    Ok(client)
}

/// How much a consumer fetches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fetching {
    /// Fetched ahead, in bytes.
    pub(super) buffer_bytes: usize,
    /// Most of one partition by one fetch, in bytes, unless a single batch of records is larger.
    pub(super) fetch_bytes: usize,
    /// How long a broker holds a fetch back while there is nothing new, in milliseconds. Meanwhile it answers nothing
    /// else on that connection; and as often it is asked again.
    pub(super) wait_ms: u16,
}

/// A consumer that belongs to no group and reads what it is told to.
///
/// The library wants a group's name nevertheless; nothing is ever committed to it.
pub(super) fn consumer(
    common: &ClientConfig,
    prefix: &str,
    fetching: Fetching,
    reports: Reports,
) -> Result<Consumer, KafkaError> {
    common
        .clone()
        .set("group.id", format!("{prefix}.readers"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Records that are gone must be noticed, never skipped.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("fetch.wait.max.ms", fetching.wait_ms.to_string())
        .set("fetch.error.backoff.ms", "50")
        // A full buffer is looked at again soon; the default is a second.
        .set("fetch.queue.backoff.ms", "2")
        .set("queued.min.messages", "1000000")
        .set("queued.max.messages.kbytes", (fetching.buffer_bytes >> 10).max(1).to_string())
        .set("fetch.message.max.bytes", fetching.fetch_bytes.to_string())
        .create_with_context(reports)
}
