//! Decoded rows, kept for a bounded time in a bounded cache.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_domain::Position;
use hindcast_journal::{Log, Topic};
use hindcast_views::{Progress, TableName, ViewError, ViewStore};
use quick_cache::{Equivalent, Weighter, sync::Cache};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    journal_end,
    progress::{NotYet, ProgressBoard},
};

/// A state that can be made from a row.
pub trait FromRow: Send + Sync + Sized + 'static {
    /// Decodes a row; the text says what is wrong with it.
    ///
    /// # Errors
    /// When the bytes are no row of this projection.
    fn from_row(bytes: &[u8]) -> Result<Self, String>;
    /// Bytes of memory it takes, roughly.
    fn memory_bytes(&self) -> usize;
}

/// How rows are cached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RowReaderConfig {
    /// Memory for decoded rows, bytes.
    pub cache_bytes: u64,
    /// How long a cached row may be used by a request that names no position.
    pub max_age_ms: u64,
    /// How long a request that names a position waits for it.
    pub min_position_timeout_ms: u64,
}

impl Default for RowReaderConfig {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, max_age_ms: 1_000, min_position_timeout_ms: 500 }
    }
}

/// A row as it was read, decoded, or the knowledge that there was none.
#[derive(Debug)]
pub struct CachedRow<T> {
    /// The state; `None` when there was no row.
    pub state: Option<T>,
    /// Position of the last record folded into the row.
    pub applied: Option<Position>,
    /// The partition's progress read before looking for the row.
    pub progress: Option<Progress>,
    loaded: Instant,
}

/// Why a row could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The position that the request named was not projected in time.
    #[error(transparent)]
    NotYet(#[from] NotYet),
    /// The position that the request named is none of the user's: of another partition, or of a journal to come.
    #[error("{wanted} is no position of partition {partition} up to epoch {epoch}")]
    Foreign {
        /// What the request named.
        wanted: Position,
        /// The user's partition.
        partition: u16,
        /// The journal's epoch.
        epoch: u8,
    },
    /// The journal does not reach to the position that the request named.
    #[error("the journal ends before {0}")]
    BeyondEnd(Position),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] ViewError),
    /// The row is damaged.
    #[error("a row of {table} can't be decoded: {detail}")]
    Damaged {
        /// The row's table.
        table: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// Where rows of a generation are, and how far it is projected.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The generation's table.
    pub table: &'a TableName,
    /// The board of its set.
    pub board: &'a ProgressBoard,
}

/// Reads rows of one projection, of whatever generation.
pub struct RowReader<T> {
    views: Arc<dyn ViewStore>,
    epoch: u8,
    ends: Vec<watch::Receiver<u64>>,
    end_patience: Duration,
    cache: Cache<CacheKey, Arc<CachedRow<T>>, ByMemory>,
    config: RowReaderConfig,
    hits: prometheus::IntCounter,
    misses: prometheus::IntCounter,
}

#[derive(Clone, PartialEq, Eq)]
struct CacheKey {
    table: TableName,
    key: Box<[u8]>,
}

#[derive(Clone, Copy)]
struct Query<'a> {
    table: &'a TableName,
    key: &'a [u8],
}

impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Query { table: &self.table, key: &self.key }.hash(state);
    }
}

impl Hash for Query<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.table.hash(state);
        self.key.hash(state);
    }
}

impl Equivalent<CacheKey> for Query<'_> {
    fn equivalent(&self, key: &CacheKey) -> bool {
        *self.table == key.table && *self.key == *key.key
    }
}

impl From<Query<'_>> for CacheKey {
    fn from(query: Query<'_>) -> Self {
        Self { table: query.table.clone(), key: query.key.into() }
    }
}

#[derive(Clone)]
struct ByMemory;

/// What a cached row costs beside its state: key, table, pointers.
const ENTRY_OVERHEAD_BYTES: u64 = 160;

impl<T: FromRow> Weighter<CacheKey, Arc<CachedRow<T>>> for ByMemory {
    fn weight(&self, key: &CacheKey, row: &Arc<CachedRow<T>>) -> u64 {
        let state = row.state.as_ref().map_or(0, FromRow::memory_bytes);
        ENTRY_OVERHEAD_BYTES + u64::try_from(key.key.len() + state).unwrap_or(u64::MAX)
    }
}

/// How long a position beyond the known end of the journal may be news to a process that reads.
const END_PATIENCE: Duration = Duration::from_millis(200);

impl<T: FromRow> RowReader<T> {
    /// A reader with an empty cache. `hits` and `misses` count what the cache did.
    pub fn new(
        views: Arc<dyn ViewStore>,
        log: &dyn Log,
        config: RowReaderConfig,
        hits: prometheus::IntCounter,
        misses: prometheus::IntCounter,
    ) -> Self {
        let ends = (0..log.identity().partitions).map(|p| log.durable_end(Topic::Journal, p)).collect();
        // The number of entries only sizes the cache's tables; the weight is what bounds it.
        let entries = usize::try_from(config.cache_bytes / 4_096).unwrap_or(1_024).max(64);
        let cache = Cache::with_weighter(entries, config.cache_bytes, ByMemory);
        let end_patience =
            journal_end::patience(log, Duration::from_millis(config.min_position_timeout_ms).min(END_PATIENCE));
        Self { views, epoch: log.identity().epoch, ends, end_patience, cache, config, hits, misses }
    }

    /// The row of a key in a user's partition: one that covers `min_position` if given, else possibly a cached one.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(
        &self,
        source: Source<'_>,
        key: &[u8],
        partition: u16,
        min_position: Option<Position>,
    ) -> Result<Arc<CachedRow<T>>, ReadError> {
        if let Some(wanted) = min_position {
            self.check(wanted, partition).await?;
        }
        let query = Query { table: source.table, key };
        let cached = self.cache.get(&query);
        if let Some(row) = cached.filter(|row| self.may_serve(row, source.board, partition, min_position)) {
            self.hits.inc();
            return Ok(row);
        }
        self.misses.inc();
        if let Some(position) = min_position {
            let patience = Duration::from_millis(self.config.min_position_timeout_ms);
            source.board.wait(position, patience).await?;
        }
        let row = Arc::new(self.load(source, key, partition).await?);
        self.cache.insert(query.into(), Arc::clone(&row));
        Ok(row)
    }

    /// Whether a position is one that can be waited for.
    async fn check(&self, wanted: Position, partition: u16) -> Result<(), ReadError> {
        if wanted.partition != partition || wanted.epoch > self.epoch {
            return Err(ReadError::Foreign { wanted, partition, epoch: self.epoch });
        }
        // Positions of an earlier epoch are no cursors of this journal; they are reached or not, by their order.
        if wanted.epoch < self.epoch || wanted.offset < self.end(partition) {
            return Ok(());
        }
        let end = self.ends.get(usize::from(partition)).cloned().ok_or(ReadError::BeyondEnd(wanted))?;
        if journal_end::reaches(end, wanted.offset, self.end_patience).await {
            Ok(())
        } else {
            Err(ReadError::BeyondEnd(wanted))
        }
    }

    fn may_serve(
        &self,
        row: &CachedRow<T>,
        board: &ProgressBoard,
        partition: u16,
        min_position: Option<Position>,
    ) -> bool {
        let covers = min_position
            .is_none_or(|wanted| row.progress.is_some_and(|progress| wanted.is_at_or_before(progress.position)));
        let young = row.loaded.elapsed() <= Duration::from_millis(self.config.max_age_ms);
        covers && (young || row.progress == board.current(partition))
    }

    async fn load(&self, source: Source<'_>, key: &[u8], partition: u16) -> Result<CachedRow<T>, ReadError> {
        let Source { table, board } = source;
        // Progress is read before the row, so that an absent row is absent up to it at least.
        let progress = board.current(partition);
        let loaded = Instant::now();
        let rows = self.views.read(table, vec![key.to_vec()]).await?;
        let Some(row) = rows.into_iter().next().flatten() else {
            return Ok(CachedRow { state: None, applied: None, progress, loaded });
        };
        let state =
            T::from_row(&row.state).map_err(|detail| ReadError::Damaged { table: table.0.to_string(), detail })?;
        Ok(CachedRow { state: Some(state), applied: Some(row.applied), progress, loaded })
    }

    /// One past the last durable journal record of a partition.
    fn end(&self, partition: u16) -> u64 {
        self.ends.get(usize::from(partition)).map_or(0, |end| *end.borrow())
    }

    /// How many durable records of the partition a row does not cover.
    #[must_use]
    pub fn behind(&self, row: &CachedRow<T>, partition: u16) -> u64 {
        self.end(partition).saturating_sub(row.progress.map_or(0, |progress| progress.next_offset))
    }
}

#[cfg(test)]
mod tests;
