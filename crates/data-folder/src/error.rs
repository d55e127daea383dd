//! Why a folder was refused.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a folder could not be opened; the text is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It holds files and no marker.
    #[error("{} is no folder of Hindcast's and not empty (it contains {example}): choose another or an empty one", dir.display())]
    Foreign {
        /// Which folder.
        dir: PathBuf,
        /// A file found in it.
        example: String,
    },
    /// Its marker can't be understood.
    #[error("{}/hindcast.json can't be understood ({detail}): restore it or choose another folder", dir.display())]
    UnreadableMarker {
        /// Which folder.
        dir: PathBuf,
        /// What is wrong with the marker.
        detail: String,
    },
    /// It holds something else of Hindcast's.
    #[error("{} holds {found}, not {wanted}: choose another folder", dir.display())]
    OtherKind {
        /// Which folder.
        dir: PathBuf,
        /// What it holds.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// It was written by a newer version.
    #[error("{} was written by a newer version of Hindcast (format {found}, this one reads up to {known}): use that version", dir.display())]
    Newer {
        /// Which folder.
        dir: PathBuf,
        /// Its format version.
        found: u32,
        /// The newest format this program reads.
        known: u32,
    },
    /// Somebody else has it open.
    #[error("{} is in use by another process: stop that one first or choose another folder", dir.display())]
    InUse {
        /// Which folder.
        dir: PathBuf,
    },
    /// It can't be read or written.
    #[error("{} can't be used as a data folder: {source}", dir.display())]
    Failed {
        /// Which folder.
        dir: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl FolderError {
    pub(crate) fn failed(dir: &Path, source: io::Error) -> Self {
        Self::Failed { dir: dir.to_owned(), source }
    }
}
