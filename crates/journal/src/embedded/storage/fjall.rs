//! Chunks in fjall: one keyspace per partition.
//!
//! Offsets only rise, so every table flushed from a partition's keyspace lies behind all tables before it, and fjall
//! moves it to the last level without ever rewriting it. (With several partitions in one keyspace every flushed table
//! would overlap all others, and every record be rewritten once per level.)
//!
//! fjall's own flow control is kept from acting, because it can hang: a commit that finds four full memtables waits in
//! a loop that doesn't notice that the flushing thread has died (of a full disk, say), and a commit on an overfull
//! memtable asks for a flush each time, until the queue of the flushing thread is full of such requests and that thread
//! blocks on its own queue. So memtables are sealed here, one at a time, before they reach fjall's limits; see `room`.

mod room;

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use ::fjall::{
    CompressionType, Database, JournalRecoveryError, Keyspace, KeyspaceCreateOptions, PersistMode,
    config::{BlockSizePolicy, CompressionPolicy, FilterPolicy},
};
use hindcast_background::giving_way;

use super::{Chunk, Storage, Visit, torn};
use crate::{LogError, Outcome, layout::Layout};

/// Sealed at this size. Tables become about as large.
const MEMTABLE_BYTES: u64 = 8 << 20;
/// A record is looked up in a file that is read in blocks of this size; a chunk larger than that is a block of its own.
const BLOCK_BYTES: u32 = 32 << 10;
/// Write-ahead files kept for partitions that get little: bounds what is replayed at the next start.
const WRITE_AHEAD_BYTES: u64 = 256 << 20;
/// Of the files that stay open; leaves the process's own limit to connections.
const OPEN_FILES: usize = 128;

/// How much memory fjall may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Blocks read from tables.
    pub(crate) cache_bytes: u64,
    /// Chunks not yet flushed to tables, over all partitions.
    pub(crate) memtables_bytes: u64,
}

/// Chunks in fjall.
pub(crate) struct FjallStorage {
    dir: PathBuf,
    layout: Layout,
    memory: Memory,
    /// None while it is being reopened.
    open: RwLock<Option<Open>>,
}

struct Open {
    database: Database,
    /// By slot.
    keyspaces: Vec<Keyspace>,
}

impl FjallStorage {
    /// Makes an empty database with all keyspaces.
    pub(crate) fn create(dir: &Path, layout: Layout, memory: Memory) -> Result<(), LogError> {
        drop(Open::new(open_database(dir, memory)?, layout)?);
        torn::wait_until_closed(dir).map_err(|e| failed("close", &e))
    }

    /// Opens the database. `check` sees the first chunk of the first partition, if there is one, before anything is
    /// made that depends on the layout.
    pub(crate) fn open<E: From<LogError>>(
        dir: &Path,
        layout: Layout,
        memory: Memory,
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let database = open_database(dir, memory)?;
        let first_name = keyspace_names(layout).next().filter(|name| database.keyspace_exists(name));
        if let Some(name) = first_name {
            let keyspace = database.keyspace(&name, keyspace_options).map_err(|e| failed("open", &e))?;
            if let Some(first) = keyspace.first_key_value() {
                check(&first.value().map_err(|e| failed("read", &e))?)?;
            }
        }
        let open = Open::new(database, layout)?;
        Ok(Self { dir: dir.to_owned(), layout, memory, open: RwLock::new(Some(open)) })
    }

    fn with_open<T>(&self, use_it: impl FnOnce(&Open) -> Result<T, LogError>) -> Result<T, LogError> {
        match &*self.open.read().unwrap_or_else(PoisonError::into_inner) {
            Some(open) => use_it(open),
            None => Err(LogError::not_stored("the log is being reopened after a failure")),
        }
    }

    /// Lets go of the database; returns when nothing of it is left in this process.
    fn close(&self) -> Result<(), LogError> {
        drop(self.open.write().unwrap_or_else(PoisonError::into_inner).take());
        torn::wait_until_closed(&self.dir).map_err(|e| failed("close", &e))
    }

    /// Fails while there isn't even space for the table of one memtable: without it the log would break down again.
    fn check_space(&self) -> Result<(), LogError> {
        let path = self.dir.join("space.tmp");
        let written = File::create(&path).and_then(|mut file| {
            let block = [0; 64 << 10];
            for _ in 0..MEMTABLE_BYTES / block.len() as u64 {
                file.write_all(&block)?;
            }
            file.sync_all()
        });
        let removed = fs::remove_file(&path);
        written.and(removed).map_err(|e| failed("write to", &e))
    }
}

impl Open {
    fn new(database: Database, layout: Layout) -> Result<Self, LogError> {
        let keyspaces = keyspace_names(layout)
            .map(|name| database.keyspace(&name, keyspace_options))
            .collect::<Result<_, _>>()
            .map_err(|e| failed("open", &e))?;
        Ok(Self { database, keyspaces })
    }

    fn keyspace(&self, slot: usize) -> Result<&Keyspace, LogError> {
        self.keyspaces.get(slot).ok_or_else(|| failed("find", &"no such partition"))
    }
}

impl Storage for FjallStorage {
    fn commit(&self, chunks: Vec<Chunk>) -> Result<(), LogError> {
        self.with_open(|open| {
            open.make_room(&chunks, self.memory.memtables_bytes)?;
            // The sync belongs to the commit: between a commit and a sync of its own, fjall's flushing thread could
            // sync the same file, get the error that was meant for us, and leave us with a success.
            let mut batch = open.database.batch().durability(Some(PersistMode::SyncData));
            for chunk in chunks {
                batch.insert(open.keyspace(chunk.slot)?, chunk.last_offset.to_be_bytes(), chunk.bytes);
            }
            batch.commit().map_err(|error| match error {
                // Found before anything was written.
                ::fjall::Error::Poisoned => LogError::not_stored("writing to the log failed in the background"),
                other => LogError::unknown(failed("write to", &other).detail),
            })
        })
    }

    fn reopen(&self) -> Result<(), LogError> {
        // The broken database can still be read, so it is kept until there is a chance to open it anew.
        self.check_space()?;
        self.close()?;
        let newest = torn::newest(&self.dir).map_err(|e| failed("list", &e))?;
        if let Some(path) = newest {
            torn::write_again(&path).map_err(|e| failed("write to", &e))?;
        }
        let open = Open::new(open_database(&self.dir, self.memory)?, self.layout)?;
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(open);
        Ok(())
    }

    fn last_offset(&self, slot: usize) -> Result<Option<u64>, LogError> {
        self.with_open(|open| {
            let Some(last) = open.keyspace(slot)?.last_key_value() else { return Ok(None) };
            let key = last.key().map_err(|e| failed("read", &e))?;
            offset_of(&key).map(Some)
        })
    }

    fn scan(&self, slot: usize, from_offset: u64, visit: Visit<'_>) -> Result<(), LogError> {
        self.with_open(|open| {
            for entry in open.keyspace(slot)?.range(from_offset.to_be_bytes()..) {
                let (key, chunk) = entry.into_inner().map_err(|e| failed("read", &e))?;
                if !visit(offset_of(&key)?, &chunk)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

impl Drop for FjallStorage {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the log was not closed cleanly; nothing acknowledged is lost");
        }
    }
}

fn keyspace_names(layout: Layout) -> impl Iterator<Item = String> {
    layout.all().map(|(topic, partition)| {
        let name = topic.name();
        format!("{}-{partition}", name.strip_prefix("hindcast.").unwrap_or(name))
    })
}

fn keyspace_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        // Sealed by us, see above. fjall forgets this setting when it reopens and then has its default of 64 MiB, which
        // is never reached either.
        .max_memtable_size(u64::MAX)
        // Nothing is ever looked up that may be absent.
        .filter_policy(FilterPolicy::disabled())
        .data_block_size_policy(BlockSizePolicy::all(BLOCK_BYTES))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
}

fn open_database(dir: &Path, memory: Memory) -> Result<Database, LogError> {
    match try_open(dir, memory) {
        Err(::fjall::Error::JournalRecovery(
            damage @ (JournalRecoveryError::ChecksumMismatch
            | JournalRecoveryError::InsufficientLength
            | JournalRecoveryError::TooManyItems),
        )) => open_without_torn_batch(dir, memory, damage),
        opened => opened.map_err(|e| failed("open", &e)),
    }
}

fn open_without_torn_batch(dir: &Path, memory: Memory, damage: JournalRecoveryError) -> Result<Database, LogError> {
    torn::wait_until_closed(dir).map_err(|e| failed("close", &e))?;
    let newest = torn::newest(dir).map_err(|e| failed("list", &e))?;
    let taken = match newest {
        Some(path) => torn::LastByte::take_off(&path).map_err(|e| failed("write to", &e))?,
        None => None,
    };
    let Some(taken) = taken else { return Err(failed("open", &damage)) };
    match try_open(dir, memory) {
        Ok(database) => {
            tracing::warn!(
                dir = %dir.display(),
                "the last batch was torn, as after a power cut, and dropped; it was never acknowledged"
            );
            Ok(database)
        }
        Err(error) => {
            torn::wait_until_closed(dir).and_then(|()| taken.put_back()).map_err(|e| failed("write to", &e))?;
            Err(damaged(&error))
        }
    }
}

fn try_open(dir: &Path, memory: Memory) -> ::fjall::Result<Database> {
    let database = Database::builder(dir)
        .cache_size(memory.cache_bytes)
        // One flushes as fast as one disk takes it.
        .worker_threads(1)
        .max_cached_files(Some(OPEN_FILES))
        .max_journaling_size(WRITE_AHEAD_BYTES)
        .journal_compression(CompressionType::None)
        .manual_journal_persist(true);
    giving_way(|| database.open())
}

fn offset_of(key: &[u8]) -> Result<u64, LogError> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| damaged(&"a key is not an offset"))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> LogError {
    LogError::not_stored(format!("could not {what} the log: {error}"))
}

fn damaged(error: &dyn std::fmt::Display) -> LogError {
    LogError {
        retryable: false,
        outcome: Outcome::NotStored,
        detail: format!("the log is damaged ({error}): restore it from an archive"),
    }
}

#[cfg(test)]
mod tests;
