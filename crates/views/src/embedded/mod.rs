//! The view store on one machine: fjall, in a folder of its own.
//!
//! Rows are read by a few threads and written by one, which also compares versions and opens the engine again after a
//! failed write (a full disk). Callers only wait for answers.

mod config;
mod engine;
mod layout;
mod opening;
mod queue;
mod shared;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

pub use config::EmbeddedViewsConfig;
use engine::Dropped;
use queue::{Queue, Taken};
use shared::{REPAIR_PAUSE, Shared};

use crate::{Pending, Progress, Row, TableName, ViewBatch, ViewStore};

/// Version of the data folder: how [`layout`] stores keys and values, in the engine's format.
const FOLDER_VERSION: u32 = 1;

/// Why the store can't be opened. One line, for operators.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder was refused.
    #[error(transparent)]
    Folder(#[from] hindcast_data_folder::FolderError),
    /// The engine can't be opened.
    #[error("{0}")]
    Engine(String),
    /// A thread can't be started.
    #[error("a thread of the view store can't be started: {0}")]
    Thread(io::Error),
}

/// What the store tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedViewsStats {
    /// Space taken on disk, bytes.
    pub disk_bytes: u64,
    /// Times the engine was opened again after a failed write.
    pub reopened: u64,
}

/// The view store in a folder of this machine.
pub struct EmbeddedViews {
    shared: Arc<Shared>,
    reads: Arc<Queue>,
    writes: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl EmbeddedViews {
    /// Opens the store in a folder, which is made if it is not there. Views that turn out to be damaged are put aside
    /// in the folder and begun anew.
    ///
    /// # Errors
    /// When the folder is in use, can't be written, or is of another kind or version.
    pub fn open(dir: &Path, config: &EmbeddedViewsConfig) -> Result<Self, OpenError> {
        let folder = hindcast_data_folder::open(dir, "views", FOLDER_VERSION)?;
        let shared = Arc::new(Shared::open(folder, config).map_err(|error| OpenError::Engine(error.detail))?);
        let mut store = Self {
            shared,
            reads: Arc::new(Queue::new("reads", config.read_queue)),
            writes: Arc::new(Queue::new("writes", config.write_queue)),
            threads: Vec::new(),
        };
        for reader in 0..config.read_threads.max(1) {
            let queue = Arc::clone(&store.reads);
            store.start(format!("views-read-{reader}"), move || read_until_closed(&queue))?;
        }
        let (queue, shared) = (Arc::clone(&store.writes), Arc::clone(&store.shared));
        store.start("views-write".into(), move || write_until_closed(&queue, &shared))?;
        Ok(store)
    }

    fn start(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        self.threads.push(thread::Builder::new().name(name).spawn(run).map_err(OpenError::Thread)?);
        Ok(())
    }

    /// What the store tells about itself.
    #[must_use]
    pub fn stats(&self) -> EmbeddedViewsStats {
        EmbeddedViewsStats { disk_bytes: self.shared.disk_bytes(), reopened: self.shared.reopened() }
    }
}

fn read_until_closed(queue: &Queue) {
    loop {
        match queue.take(None) {
            // Whoever waits for the answer learns of a panic; the thread goes on with the next.
            Taken::Job(job) => drop(catch_unwind(AssertUnwindSafe(job))),
            Taken::Nothing => {}
            Taken::Closed => return,
        }
    }
}

fn write_until_closed(queue: &Queue, shared: &Shared) {
    loop {
        let worked = match queue.take(shared.is_broken().then_some(REPAIR_PAUSE)) {
            Taken::Job(job) => catch_unwind(AssertUnwindSafe(job)),
            Taken::Nothing => catch_unwind(AssertUnwindSafe(|| {
                shared.repair();
            })),
            Taken::Closed => return,
        };
        if worked.is_err() {
            shared.broke("the thread that writes views panicked");
        }
    }
}

impl ViewStore for EmbeddedViews {
    fn read(&self, table: &TableName, keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        let (shared, table) = (Arc::clone(&self.shared), table.clone());
        self.reads.run(move || shared.with(|engine| engine.read(&table, &keys)))
    }

    fn write(&self, batch: ViewBatch) -> Pending<'_, ()> {
        let shared = Arc::clone(&self.shared);
        self.writes.run(move || shared.write(batch))
    }

    fn progress(&self, table: &TableName, partition: u16) -> Pending<'_, Option<Progress>> {
        let (shared, table) = (Arc::clone(&self.shared), table.clone());
        self.reads.run(move || shared.with(|engine| engine.progress(&table, partition)))
    }

    fn scan(&self, table: &TableName, after: Option<Vec<u8>>, limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        let (shared, table) = (Arc::clone(&self.shared), table.clone());
        self.reads.run(move || shared.with(|engine| engine.scan(&table, after.as_deref(), limit)))
    }

    fn drop_table(&self, table: &TableName) -> Pending<'_, ()> {
        let table = table.clone();
        Box::pin(async move {
            loop {
                let (shared, table) = (Arc::clone(&self.shared), table.clone());
                // Between two of these the writing thread takes what others want.
                if self.writes.run(move || shared.drop_some(&table)).await? == Dropped::All {
                    return Ok(());
                }
            }
        })
    }

    fn health(&self) -> Result<(), String> {
        self.shared.health()
    }
}

impl fmt::Debug for EmbeddedViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedViews").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Drop for EmbeddedViews {
    /// Finishes what waits and closes the engine.
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
        for thread in self.threads.drain(..) {
            // Its panics were caught; there is nothing to learn from it.
            drop(thread.join());
        }
    }
}
