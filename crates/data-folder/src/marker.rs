//! The file that says what a folder is.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::FolderError;

/// Name of the marker.
pub(crate) const MARKER: &str = "hindcast.json";
/// Name of a marker being written.
pub(crate) const UNFINISHED: &str = "hindcast.json.new";

/// Content of the marker. Fields added later must be ignorable by this version; what isn't raises `version`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    pub(crate) kind: String,
    pub(crate) version: u32,
}

impl Marker {
    /// The marker of a folder, if there is one.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, FolderError> {
        let bytes = match fs::read(dir.join(MARKER)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FolderError::failed(dir, source)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| FolderError::UnreadableMarker { dir: dir.to_owned(), detail: source.to_string() })
    }

    /// Writes it durably and under its name all at once, so that a crash leaves a whole marker or none.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let unfinished = dir.join(UNFINISHED);
        let mut file = File::create(&unfinished)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&unfinished, dir.join(MARKER))?;
        sync_directory(dir)?;
        // The folder's own name may be new as well.
        dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_directory)
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}
