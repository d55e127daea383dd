//! What the store's threads share: the engine, and what is wrong with it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hindcast_data_folder::Folder;

use super::{
    config::EmbeddedViewsConfig,
    engine::{Dropped, Engine, MEMTABLE_BYTES, Prepared, failed},
    opening,
};
use crate::{TableName, ViewBatch, ViewError};

/// Pause between two attempts to open the store again.
pub(super) const REPAIR_PAUSE: Duration = Duration::from_millis(250);
/// A write that takes longer is told as a fault: the disk doesn't keep up, or the engine hangs.
const SLOW_WRITE: Duration = Duration::from_secs(10);

/// The engine, opened again by the writing thread after a failed write.
///
/// fjall takes no write after one that failed, because it does not know what reached the disk. Until there is space
/// again the same engine goes on serving reads: it holds what was written before.
pub(super) struct Shared {
    /// Locked as long as the store is open, also while the engine is closed to be opened again.
    folder: Folder,
    config: EmbeddedViewsConfig,
    /// Held by readers for the time of a read, so that the writing thread can close the engine.
    engine: RwLock<Option<Engine>>,
    state: Mutex<State>,
    reopened: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Why nothing can be written; the engine has to be opened again.
    broken: Option<String>,
    last_attempt: Option<Instant>,
    writing_since: Option<Instant>,
}

impl Shared {
    pub(super) fn open(folder: Folder, config: &EmbeddedViewsConfig) -> Result<Self, ViewError> {
        let engine = opening::open_or_begin_anew(&folder, config)?;
        Ok(Self {
            folder,
            config: config.clone(),
            engine: RwLock::new(Some(engine)),
            state: Mutex::default(),
            reopened: AtomicU64::new(0),
        })
    }

    /// Reads from the engine.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Engine) -> Result<T, ViewError>) -> Result<T, ViewError> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        match engine.as_ref() {
            Some(engine) => read(engine),
            None => Err(ViewError::retryable(self.why_broken())),
        }
    }

    /// Writes a batch. Called by the writing thread alone: between the look at the stored versions and the write
    /// nobody else writes.
    pub(super) fn write(&self, batch: ViewBatch) -> Result<(), ViewError> {
        self.commit(|engine| Ok((engine.prepare(batch)?, ())))
    }

    /// Removes some of a table. Called by the writing thread alone.
    pub(super) fn drop_some(&self, table: &TableName) -> Result<Dropped, ViewError> {
        self.commit(|engine| engine.prepare_drop(table))
    }

    fn commit<T>(&self, prepare: impl FnOnce(&Engine) -> Result<(Prepared, T), ViewError>) -> Result<T, ViewError> {
        if self.is_broken() && !self.repair() {
            return Err(ViewError::retryable(self.why_broken()));
        }
        let result = self.with(|engine| {
            let (prepared, told) = prepare(engine)?;
            self.state().writing_since = Some(Instant::now());
            Ok(engine.commit(prepared).map(|()| told))
        });
        self.state().writing_since = None;
        result?.map_err(|error| {
            let error = failed("write", &error);
            self.broke(&error.detail);
            // The engine is opened again, whatever was wrong with this one.
            ViewError::retryable(error.detail)
        })
    }

    /// Takes note that the engine has to be opened again.
    pub(super) fn broke(&self, why: &str) {
        tracing::error!(why, "views can't be written; reads go on, writing is tried again");
        self.state().broken = Some(why.into());
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state().broken.is_some()
    }

    fn why_broken(&self) -> String {
        self.state().broken.clone().unwrap_or_else(|| "the view store is being opened".into())
    }

    /// Opens the engine again if it is time to try that; tells whether it can write now.
    pub(super) fn repair(&self) -> bool {
        let mut state = self.state();
        if state.last_attempt.is_some_and(|last| last.elapsed() < REPAIR_PAUSE) {
            return false;
        }
        state.last_attempt = Some(Instant::now());
        drop(state);
        match self.reopen() {
            Ok(()) => {
                self.state().broken = None;
                self.reopened.fetch_add(1, Ordering::Relaxed);
                tracing::info!("views can be written again");
                true
            }
            Err(why) => {
                self.state().broken = Some(why);
                false
            }
        }
    }

    fn reopen(&self) -> Result<(), String> {
        // The engine serves reads until there is space: closing it before would end these too.
        let path = self.folder.path();
        probe(path).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        drop(engine.take());
        opening::wait_until_closed(&self.folder).map_err(|error| error.detail)?;
        *engine = Some(opening::open_or_begin_anew(&self.folder, &self.config).map_err(|error| error.detail)?);
        Ok(())
    }

    pub(super) fn health(&self) -> Result<(), String> {
        let state = self.state();
        if let Some(why) = &state.broken {
            return Err(why.clone());
        }
        match state.writing_since.map(|since| since.elapsed()) {
            Some(time) if time > SLOW_WRITE => Err(format!("a write of views takes {} s already", time.as_secs())),
            _ => Ok(()),
        }
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.with(|engine| Ok(engine.disk_bytes())).unwrap_or_default()
    }

    pub(super) fn reopened(&self) -> u64 {
        self.reopened.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is space for one memtable: without it the engine would break down again.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("probe");
    let written = File::create(&path).and_then(|mut file| {
        let block = [0xa5; 64 << 10];
        for _ in 0..MEMTABLE_BYTES / block.len() as u64 {
            file.write_all(&block)?;
        }
        file.sync_all()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}
