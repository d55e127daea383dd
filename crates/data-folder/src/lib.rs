//! A folder of one kind and format version that one process owns.
//!
//! Whoever keeps files opens their folder here first. So a folder of something else, of a newer program, or in use by
//! another process is refused before a single byte of it is touched.

mod error;
mod marker;
mod open_files;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

pub use error::FolderError;
use marker::Marker;
pub use open_files::wait_until_closed;

/// Held locked by the owner. Never removed: a lock on a file that no longer has a name excludes nobody.
const LOCK: &str = "hindcast.lock";

/// An open folder. Nobody else can open it until this is dropped, in this process or another; a process that dies
/// leaves no lock behind.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    version: u32,
    _lock: File,
}

impl Folder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a part of the folder. If it isn't there yet, it is filled under another name first and gets its own
    /// once that is done, so that a crash in between leaves nothing half made.
    ///
    /// # Errors
    /// What filling it returns, and when the folder can't be written.
    pub fn part<E: From<FolderError>>(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let failed = |source: io::Error| FolderError::failed(&self.path, source);
        let part = self.path.join(name);
        if !part.try_exists().map_err(failed)? {
            let unfinished = self.path.join(format!("{name}.new"));
            if unfinished.try_exists().map_err(failed)? {
                // Nobody ever used it.
                fs::remove_dir_all(&unfinished).map_err(failed)?;
            }
            fill(&unfinished)?;
            fs::rename(&unfinished, &part).and_then(|()| marker::sync_directory(&self.path)).map_err(failed)?;
        }
        Ok(part)
    }

    /// The format version found in it: the one asked for, or an older one that the caller may bring up to date.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// Opens a folder, making it if it is absent or empty.
///
/// `kind` says in one word what is kept in it and `version` is the newest format the caller reads; both are written
/// into a new folder.
///
/// # Errors
/// One line for the operator when the folder is of another kind or of a newer version, holds files but no marker, is in
/// use, or can't be written. A refused folder is left as it was found.
pub fn open(dir: &Path, kind: &str, version: u32) -> Result<Folder, FolderError> {
    let failed = |source: io::Error| FolderError::failed(dir, source);
    fs::create_dir_all(dir).map_err(failed)?;
    // Without a marker a folder is ours to take only if nothing of anyone else's is in it: looked at before the lock
    // file is made, so that a foreign folder stays untouched.
    if Marker::read(dir)?.is_none() {
        refuse_strangers(dir)?;
    }
    let lock = lock(dir)?;
    let found = match Marker::read(dir)? {
        Some(marker) => marker,
        None => {
            refuse_strangers(dir)?;
            let marker = Marker { kind: kind.to_owned(), version };
            marker.write(dir).map_err(failed)?;
            marker
        }
    };
    if found.kind != kind {
        return Err(FolderError::OtherKind { dir: dir.to_owned(), found: found.kind, wanted: kind.to_owned() });
    }
    if found.version > version {
        return Err(FolderError::Newer { dir: dir.to_owned(), found: found.version, known: version });
    }
    Ok(Folder { path: dir.to_owned(), version: found.version, _lock: lock })
}

fn lock(dir: &Path) -> Result<File, FolderError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK))
        .map_err(|source| FolderError::failed(dir, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(FolderError::failed(dir, source)),
    }
}

/// Only what an interrupted [`open`] leaves behind may be in a folder without a marker.
fn refuse_strangers(dir: &Path) -> Result<(), FolderError> {
    let failed = |source: io::Error| FolderError::failed(dir, source);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name != LOCK && name != marker::UNFINISHED {
            return Err(FolderError::Foreign { dir: dir.to_owned(), example: name.to_string_lossy().into_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
