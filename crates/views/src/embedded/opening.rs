//! Opening the engine: made whole or not at all, and begun anew when it is damaged.

use std::{
    fs, io,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use hindcast_data_folder::{Folder, FolderError};

use super::{
    config::EmbeddedViewsConfig,
    engine::{Engine, failed, is_damage},
};
use crate::ViewError;

/// Where the engine is, within the store's folder.
const ROWS: &str = "rows";
/// Where damaged views are put.
const DAMAGED: &str = "rows-damaged";
/// Of the engine's write-ahead files.
const WRITE_AHEAD_EXTENSION: &str = "jnl";

/// Opens the engine. Damaged views are put aside and begun anew: they are derived, and the projector folds them again
/// from the journal while answers tell how far they are behind.
pub(super) fn open_or_begin_anew(folder: &Folder, config: &EmbeddedViewsConfig) -> Result<Engine, ViewError> {
    let path = made(folder, config)?;
    let why = match open_caught(&path, config) {
        Ok(engine) => return Ok(engine),
        Err(NotOpened::Failed(error)) => return Err(error),
        Err(NotOpened::Damaged(why)) => why,
    };
    let aside = folder.path().join(DAMAGED);
    tracing::error!(why, path = %path.display(), aside = %aside.display(),
        "the stored views are damaged; they are put aside and folded anew from the journal");
    wait_until_closed(folder)?;
    remove(&aside).and_then(|()| fs::rename(&path, &aside)).map_err(|error| not_usable(&path, &error))?;
    Engine::open(&made(folder, config)?, config).map_err(|error| failed("be opened", &error))
}

/// Waits until nothing of a closed engine is left in this process: its threads may write to its files a moment longer.
pub(super) fn wait_until_closed(folder: &Folder) -> Result<(), ViewError> {
    let path = folder.path().join(ROWS);
    if !path.exists() {
        return Ok(());
    }
    hindcast_data_folder::wait_until_closed(&path, WRITE_AHEAD_EXTENSION).map_err(|error| not_usable(&path, &error))
}

/// The engine's folder. One whose making was interrupted can't be opened, so it is made whole or not at all.
fn made(folder: &Folder, config: &EmbeddedViewsConfig) -> Result<PathBuf, ViewError> {
    let filled = folder.part(ROWS, |path| {
        drop(Engine::open(path, config).map_err(|error| NotMade(failed("be made", &error)))?);
        hindcast_data_folder::wait_until_closed(path, WRITE_AHEAD_EXTENSION)
            .map_err(|error| NotMade(not_usable(path, &error)))
    });
    filled.map_err(|NotMade(error)| error)
}

struct NotMade(ViewError);

impl From<FolderError> for NotMade {
    fn from(error: FolderError) -> Self {
        Self(ViewError::retryable(error.to_string()))
    }
}

enum NotOpened {
    Failed(ViewError),
    Damaged(String),
}

/// Opens the engine; it asserts that what it finds on disk is as it left it, and panics where it is not.
fn open_caught(path: &Path, config: &EmbeddedViewsConfig) -> Result<Engine, NotOpened> {
    match catch_unwind(|| Engine::open(path, config)) {
        Ok(Ok(engine)) => Ok(engine),
        Ok(Err(error)) if is_damage(&error) => Err(NotOpened::Damaged(error.to_string())),
        Ok(Err(error)) => Err(NotOpened::Failed(failed("be opened", &error))),
        Err(_) => Err(NotOpened::Damaged("the engine panicked while it read them".into())),
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn not_usable(path: &Path, error: &io::Error) -> ViewError {
    ViewError { retryable: false, detail: format!("the views in {} can't be opened: {error}", path.display()) }
}
