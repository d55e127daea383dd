//! What the routes work with.

use std::{sync::Arc, time::Duration};

use hindcast_control::{ActiveScoring, Control, Settings};
use hindcast_domain::{Instruments, Position, partition_of};
use hindcast_fold::{activity::Activity, keys};
use hindcast_journal::Log;
use hindcast_reader::{CachedRow, ProgressBoard, ReadError, RowReader};
use hindcast_schemas::Codec;
use hindcast_service_kit::{auth::Gate, problem::Problem};
use hindcast_views::{TableName, ViewStore};

use crate::{config::ConfidenceConfig, scored_book::ScoredBook};

/// What the service is built on.
#[derive(Clone)]
pub struct ConfidencePorts {
    /// Takes signals and decisions.
    pub log: Arc<dyn Log>,
    /// Holds the rows.
    pub views: Arc<dyn ViewStore>,
    /// How far each partition is projected.
    pub board: Arc<ProgressBoard>,
    /// Published settings.
    pub control: Arc<Control>,
    /// Writes records.
    pub codec: Arc<Codec>,
    /// Lets requests in.
    pub gate: Arc<Gate>,
    /// What is traded.
    pub instruments: Arc<Instruments>,
    /// Where its metrics are registered.
    pub registry: prometheus::Registry,
}

/// The state of the routes.
pub struct ConfidenceState {
    pub(crate) ports: ConfidencePorts,
    pub(crate) config: ConfidenceConfig,
    pub(crate) books: RowReader<ScoredBook>,
    pub(crate) activities: RowReader<Activity>,
    pub(crate) decisions: prometheus::IntCounterVec,
}

impl ConfidenceState {
    /// A state with empty caches.
    ///
    /// # Errors
    /// When the name of one of its metrics is taken.
    pub fn new(ports: ConfidencePorts, config: ConfidenceConfig) -> Result<Self, prometheus::Error> {
        let lookups = prometheus::IntCounterVec::new(
            prometheus::Opts::new("hindcast_row_cache_lookups_total", "Rows asked for, by projection and result."),
            &["projection", "result"],
        )?;
        let decisions = prometheus::IntCounterVec::new(
            prometheus::Opts::new("hindcast_decisions_total", "Confidences served, by action."),
            &["action"],
        )?;
        ports.registry.register(Box::new(lookups.clone()))?;
        ports.registry.register(Box::new(decisions.clone()))?;
        let hit = |projection| lookups.with_label_values(&[projection, "hit"]);
        let miss = |projection| lookups.with_label_values(&[projection, "miss"]);
        let activity_rows = hindcast_reader::RowReaderConfig { cache_bytes: config.rows.cache_bytes / 16, ..config.rows.clone() };
        let books = RowReader::new(
            Arc::clone(&ports.views), &*ports.log, Arc::clone(&ports.board), config.rows.clone(), hit("book"), miss("book"),
        );
        let activities = RowReader::new(
            Arc::clone(&ports.views), &*ports.log, Arc::clone(&ports.board), activity_rows, hit("activity"), miss("activity"),
        );
        Ok(Self { ports, config, books, activities, decisions })
    }

    /// The settings, not older than what the request names.
    pub(crate) async fn settings(&self, at_least: Option<u64>) -> Result<Arc<Settings>, Problem> {
        if let Some(offset) = at_least {
            let patience = Duration::from_millis(self.config.control_timeout_ms);
            if !self.ports.control.reached(offset, patience).await {
                return Err(Problem::unavailable(format!("control offset {offset} has not arrived here yet; try again")));
            }
        }
        Ok(self.ports.control.settings())
    }

    pub(crate) fn partition(&self, user: &str) -> u16 {
        partition_of(user.as_bytes(), self.ports.log.identity().partitions)
    }

    pub(crate) async fn book(
        &self,
        table: &TableName,
        user: &str,
        symbol: &str,
        min_position: Option<Position>,
    ) -> Result<Arc<CachedRow<ScoredBook>>, ReadError> {
        self.books.read(table, &keys::book_key(user, symbol), self.partition(user), min_position).await
    }

    pub(crate) fn behind(&self, row: &CachedRow<ScoredBook>, user: &str) -> u64 {
        self.books.behind(row, self.partition(user))
    }
}

/// The active model and policy.
pub(crate) fn active_scoring(settings: &Settings) -> Result<&Arc<ActiveScoring>, Problem> {
    settings.scoring.as_ref().ok_or_else(|| Problem::unavailable("no model is published yet; try again"))
}
