//! Why the embedded log could not be opened.

use std::path::PathBuf;

use hindcast_data_folder::FolderError;

use crate::LogError;

/// Why the log could not be opened; the text is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is out of range.
    #[error("setting of the embedded log: {0}")]
    Setting(&'static str),
    /// The folder was refused.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The partitions of the log don't belong together.
    #[error("{}: {detail}: restore the log from an archive", dir.display())]
    Mixed {
        /// Where the log is.
        dir: PathBuf,
        /// What doesn't fit.
        detail: String,
    },
    /// It could not be read or written.
    #[error("{}: {source}", dir.display())]
    Log {
        /// Where the log is.
        dir: PathBuf,
        /// What failed.
        source: LogError,
    },
    /// Its thread could not be started.
    #[error("could not start the log's thread: {0}")]
    Thread(#[from] std::io::Error),
}
