//! The log port: four topics, each an ordered sequence of records per partition.
//!
//! ```text
//!  offset   0      1      2      3      4      5      6
//!        +------+------+------+------+------+------+------+
//!        | gen. | rec. | rec. | rec. | rec. | .... | .... |
//!        +------+------+------+------+------+------+------+
//!          genesis                     ^ durable end   ^ appended, not yet durable: readers never see these
//! ```
//!
//! What an implementer MUST guarantee (the contract suite checks each):
//! - An append is acknowledged only when all its records are durable; after that they are never lost nor changed.
//! - Records of one append to one partition get rising offsets in the order given; two appends of which the second was
//!   made after the first was acknowledged keep that order.
//! - Readers see only durable records, in offset order, without gaps in what was acknowledged.
//! - `durable_end` never falls, and whoever watches it learns of every rise.
//! - After a write or a sync failed, nothing more is acknowledged until the log was reopened and checked.
//! - What waits to be written is bounded; past the bound an append fails at once with [`Outcome::NotStored`].

use std::{future::Future, pin::Pin, sync::Arc};

use hindcast_domain::Position;
use tokio::sync::watch;

/// The logs of Hindcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Facts reported by clients, partitioned by user, kept for ever.
    Journal,
    /// Confidences served, partitioned by user, kept for ever.
    Decisions,
    /// Settings: one partition, kept for ever.
    Control,
    /// Notices of records that no fold could use, partitioned by user.
    DeadLetters,
}

/// What is in a record, readable without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordType {
    /// First record of every partition: names the journal, its epoch and its partition count.
    Genesis,
    /// `SignalReceived`.
    Signal,
    /// `TradeClosed`.
    Trade,
    /// `TradeVoided`.
    Void,
    /// `DecisionMade`.
    Decision,
    /// A change of settings.
    Setting,
    /// A notice of an unusable record.
    DeadLetter,
    /// Some type of a newer version.
    Unknown,
}

/// What a log is, from its genesis records.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogIdentity {
    /// Drawn once when the log was made.
    pub journal_id: uuid::Uuid,
    /// Raised by one each time the log is restored.
    pub epoch: u8,
    /// Partitions of the topics partitioned by user.
    pub partitions: u16,
}

/// A record to append.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// Where to.
    pub topic: Topic,
    /// Which partition of it; see [`hindcast_domain::partition_of`].
    pub partition: u16,
    /// The key: a user id, or an entity of control. Records of one user share it.
    pub key: Arc<[u8]>,
    /// What it is.
    pub record_type: RecordType,
    /// When it was received, microseconds since 1970.
    pub timestamp_us: i64,
    /// W3C trace context of the request.
    pub traceparent: Option<Box<str>>,
    /// The body.
    pub value: Vec<u8>,
}

/// A record that was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// Cursor within the partition of this log.
    pub offset: u64,
    /// The position given once: that of this log, or the first one if the record was restored.
    pub position: Position,
    /// What it is.
    pub record_type: RecordType,
    /// When it was received, microseconds since 1970.
    pub timestamp_us: i64,
    /// The key.
    pub key: bytes::Bytes,
    /// W3C trace context of the request that made it.
    pub traceparent: Option<Box<str>>,
    /// The body.
    pub value: bytes::Bytes,
}

/// Whether something that failed happened nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It surely did not happen.
    NotStored,
    /// It may have happened.
    Unknown,
}

/// Why the log could not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct LogError {
    /// Whether the same call can succeed later.
    pub retryable: bool,
    /// For an append: whether the records may have been stored.
    pub outcome: Outcome,
    /// For operators: what happened, where, what to do. Never shown to clients.
    pub detail: String,
}

/// Resolves to the positions of the records, in the order given, once all of them are durable.
pub type Appending = Pin<Box<dyn Future<Output = Result<Vec<Position>, LogError>> + Send>>;

/// How much one read may return. At least one record is returned if there is one.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// Most records.
    pub records: usize,
    /// Most bytes of keys and bodies.
    pub bytes: usize,
}

/// The log.
pub trait Log: Send + Sync + 'static {
    /// What this log is.
    fn identity(&self) -> &LogIdentity;

    /// Whether other processes append to it too: then records can be durable that this one has yet to hear of.
    fn is_shared(&self) -> bool;

    /// Appends records, to one or several topics. On one machine all or none of them survive a crash; on a cluster
    /// each survives on its own. Taken in at once, in the order of calls; dropping the future takes nothing back.
    fn append(&self, records: Vec<NewRecord>) -> Appending;

    /// Appends to `into` the durable records of a partition from an offset on, up to the limit; returns the offset to
    /// go on from. Blocks on the disk or the network: call it from a thread of your own.
    ///
    /// # Errors
    /// When the log can't be read at present; nothing is skipped.
    fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError>;

    /// One past the last durable record of a partition, and a way to wait for its rise.
    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64>;

    /// Whether appends are taken at present; the text says why not.
    fn health(&self) -> Result<(), String>;
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 4] = [Self::Journal, Self::Decisions, Self::Control, Self::DeadLetters];

    /// The topic's name on a cluster.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Journal => "hindcast.journal",
            Self::Decisions => "hindcast.decisions",
            Self::Control => "hindcast.control",
            Self::DeadLetters => "hindcast.dead-letters",
        }
    }
}

impl LogIdentity {
    /// How many partitions a topic has.
    #[must_use]
    pub fn partitions_of(&self, topic: Topic) -> u16 {
        if topic == Topic::Control { 1 } else { self.partitions }
    }

    /// The body of a genesis record: this, as JSON.
    #[must_use]
    pub fn to_genesis(&self) -> Vec<u8> {
        serde_json::json!({
            "journal_id": self.journal_id,
            "epoch": self.epoch,
            "partitions": self.partitions,
        })
        .to_string()
        .into_bytes()
    }

    /// Reads the body of a genesis record.
    ///
    /// # Errors
    /// When it is none; nothing is stored or lost.
    pub fn from_genesis(value: &[u8]) -> Result<Self, LogError> {
        serde_json::from_slice(value).map_err(|error| LogError {
            retryable: false,
            outcome: Outcome::NotStored,
            detail: format!("not a genesis record: {error}"),
        })
    }
}

impl LogError {
    /// A failure after which the call can be repeated and surely nothing happened.
    #[must_use]
    pub fn not_stored(detail: impl Into<String>) -> Self {
        Self { retryable: true, outcome: Outcome::NotStored, detail: detail.into() }
    }

    /// A partition that this log doesn't have was named.
    #[must_use]
    pub fn no_such_partition(topic: Topic, partition: u16) -> Self {
        Self {
            retryable: false,
            outcome: Outcome::NotStored,
            detail: format!("{} has no partition {partition}", topic.name()),
        }
    }

    /// A failure after which nobody knows whether it happened.
    #[must_use]
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self { retryable: true, outcome: Outcome::Unknown, detail: detail.into() }
    }
}
