//! The log on one machine, on fjall.

mod config;

use std::path::Path;

use tokio::sync::watch;

pub use config::EmbeddedLogConfig;

use crate::{Appending, Log, LogError, LogIdentity, NewRecord, ReadLimit, Record, Topic};

/// Why the log could not be opened; the text is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder was refused.
    #[error(transparent)]
    Folder(#[from] hindcast_data_folder::FolderError),
}

/// The log on one machine.
#[derive(Debug)]
pub struct EmbeddedLog {
    identity: LogIdentity,
}

impl EmbeddedLog {
    /// Opens the log in a folder, making it if the folder is absent or empty.
    ///
    /// # Errors
    /// When the folder or what is in it can't be used.
    pub fn open(_dir: &Path, _config: &EmbeddedLogConfig) -> Result<Self, OpenError> {
        todo!()
    }

    /// Counters since the log was opened.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        todo!()
    }
}

/// Counters since the log was opened, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Groups made durable, each by one sync.
    pub syncs: u64,
    /// Records made durable.
    pub records: u64,
    /// Bytes of keys and bodies made durable.
    pub bytes: u64,
    /// Records waiting to be written now.
    pub queued_records: u64,
    /// Bytes waiting to be written now.
    pub queued_bytes: u64,
    /// Appends refused because too much was waiting or the log was down.
    pub refused: u64,
    /// Failed writes and syncs, after each of which the log was closed.
    pub failures: u64,
}

impl Log for EmbeddedLog {
    fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    fn append(&self, _records: Vec<NewRecord>) -> Appending {
        todo!()
    }

    fn read(
        &self,
        _topic: Topic,
        _partition: u16,
        _from_offset: u64,
        _limit: ReadLimit,
        _into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        todo!()
    }

    fn durable_end(&self, _topic: Topic, _partition: u16) -> watch::Receiver<u64> {
        todo!()
    }

    fn health(&self) -> Result<(), String> {
        todo!()
    }
}
