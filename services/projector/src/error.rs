//! What stops a projector, for good or for now.

use hindcast_journal::LogError;
use hindcast_views::ViewError;

/// Why a projector gives up. Everything that can pass by itself is retried instead.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The views were folded from another journal.
    #[error(
        "partition {partition}: the views were folded from journal {stored}, the log is journal {found}; \
         give the views of this journal, or an empty store to fold it anew"
    )]
    AnotherJournal {
        /// The partition.
        partition: u16,
        /// Journal named by the stored progress.
        stored: uuid::Uuid,
        /// Journal of the log.
        found: uuid::Uuid,
    },
    /// The views are ahead of the journal.
    #[error(
        "partition {partition}: the views were folded up to offset {stored}, but the journal ends at {end}; \
         give the journal that they were folded from, or an empty store to fold this one anew"
    )]
    AheadOfJournal {
        /// The partition.
        partition: u16,
        /// Next offset by the stored progress.
        stored: u64,
        /// Durable end of the journal.
        end: u64,
    },
    /// A row of the store is damaged.
    #[error("a row of {table} can't be decoded: {detail}; drop the table and project it anew")]
    DamagedRow {
        /// The table.
        table: String,
        /// What is wrong.
        detail: String,
    },
    /// The store failed in a way that doesn't pass by itself.
    #[error("{0}")]
    Store(String),
    /// The log failed in a way that doesn't pass by itself.
    #[error("{0}")]
    Log(String),
    /// The generation asks for a fold that this version does not have.
    #[error(transparent)]
    UnknownFold(#[from] hindcast_fold::generation::UnknownFold),
    /// A thread could not be started.
    #[error("a projector thread can't be started: {0}")]
    Thread(std::io::Error),
    /// A bug.
    #[error("a projector thread panicked")]
    Panicked,
}

/// What stops a step.
#[derive(Debug)]
pub(crate) enum Hindrance {
    /// It is tried again after a pause.
    ForNow(String),
    /// The thread gives up.
    ForGood(ProjectorError),
}

impl From<ViewError> for Hindrance {
    fn from(error: ViewError) -> Self {
        if error.retryable { Self::ForNow(error.detail) } else { Self::ForGood(ProjectorError::Store(error.detail)) }
    }
}

impl From<LogError> for Hindrance {
    fn from(error: LogError) -> Self {
        if error.retryable { Self::ForNow(error.detail) } else { Self::ForGood(ProjectorError::Log(error.detail)) }
    }
}
