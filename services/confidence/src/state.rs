//! What the routes work with.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use hindcast_control::{ActiveScoring, Control, GenerationTables, Settings};
use hindcast_domain::{Instruments, Position, partition_of};
use hindcast_fold::{activity::Activity, keys};
use hindcast_journal::Log;
use hindcast_reader::{Boards, CachedRow, ProgressBoard, RowReader, Source};
use hindcast_schemas::Codec;
use hindcast_service_kit::{
    auth::Gate,
    headers::{HINDCAST_CONTROL, HINDCAST_POSITION, min_control, min_position, position_value},
    problem::Problem,
};
use hindcast_views::{TableName, ViewStore};
use http::{HeaderMap, HeaderValue};

use crate::{config::ConfidenceConfig, scored_book::ScoredBook};

/// What the service is built on.
#[derive(Clone)]
pub struct ConfidencePorts {
    /// Takes signals and decisions.
    pub log: Arc<dyn Log>,
    /// Holds the rows.
    pub views: Arc<dyn ViewStore>,
    /// How far each set of generations is projected.
    pub boards: Arc<Boards>,
    /// Published settings.
    pub control: Arc<Control>,
    /// Writes records.
    pub codec: Arc<Codec>,
    /// Lets requests in.
    pub gate: Arc<Gate>,
    /// What is traded.
    pub instruments: Arc<Instruments>,
}

/// The state of the routes.
pub struct ConfidenceState {
    pub(crate) ports: ConfidencePorts,
    pub(crate) config: ConfidenceConfig,
    books: RowReader<ScoredBook>,
    activities: RowReader<Activity>,
    pub(crate) taken: prometheus::IntCounter,
    pub(crate) skipped: prometheus::IntCounter,
    pub(crate) append_seconds: prometheus::Histogram,
}

/// The shared state, as axum hands it to handlers.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<ConfidenceState>);

impl FromRef<Shared> for Arc<Gate> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.0.ports.gate)
    }
}

impl std::ops::Deref for Shared {
    type Target = ConfidenceState;
    fn deref(&self) -> &ConfidenceState {
        &self.0
    }
}

/// Who reads, and from where: what each read of the caller's rows needs.
pub(crate) struct Reading<'a> {
    state: &'a ConfidenceState,
    pub(crate) user: &'a str,
    pub(crate) partition: u16,
    pub(crate) settings: Arc<Settings>,
    min_position: Option<Position>,
}

/// The generations that an answer is made from, all of one set.
struct Generations<'a> {
    tables: &'a GenerationTables,
    board: Arc<ProgressBoard>,
}

impl ConfidenceState {
    /// A state with empty caches.
    ///
    /// # Errors
    /// When the name of one of its metrics is taken.
    pub fn new(
        ports: ConfidencePorts,
        config: ConfidenceConfig,
        registry: &prometheus::Registry,
    ) -> Result<Self, prometheus::Error> {
        let lookups = prometheus::IntCounterVec::new(
            prometheus::Opts::new("hindcast_row_cache_lookups_total", "Rows asked for, by projection and result."),
            &["projection", "result"],
        )?;
        let decisions = prometheus::IntCounterVec::new(
            prometheus::Opts::new("hindcast_decisions_total", "Confidences served, by action."),
            &["action"],
        )?;
        let append_seconds = prometheus::Histogram::with_opts(
            prometheus::HistogramOpts::new(
                "hindcast_decision_append_seconds",
                "Time until a signal and its decision were durable.",
            )
            .buckets(prometheus::exponential_buckets(0.000_1, 2.0, 16)?),
        )?;
        registry.register(Box::new(lookups.clone()))?;
        registry.register(Box::new(decisions.clone()))?;
        registry.register(Box::new(append_seconds.clone()))?;
        let hit = |projection: &str| lookups.with_label_values(&[projection, "hit"]);
        let miss = |projection: &str| lookups.with_label_values(&[projection, "miss"]);
        // Activities are small and looked at by people.
        let mut of_days = config.rows.clone();
        of_days.cache_bytes /= 16;
        let (views, log) = (&ports.views, &*ports.log);
        Ok(Self {
            books: RowReader::new(Arc::clone(views), log, config.rows.clone(), hit("book"), miss("book")),
            activities: RowReader::new(Arc::clone(views), log, of_days, hit("activity"), miss("activity")),
            taken: decisions.with_label_values(&["take"]),
            skipped: decisions.with_label_values(&["skip"]),
            append_seconds,
            ports,
            config,
        })
    }

    /// Begins a read of a user's rows as the request's headers want it: from settings and rows that are new enough.
    pub(crate) async fn reading<'a>(&'a self, user: &'a str, headers: &HeaderMap) -> Result<Reading<'a>, Problem> {
        let partition = partition_of(user.as_bytes(), self.ports.log.identity().partitions);
        let min_position = min_position(headers)?;
        if let Some(wanted) = min_position {
            let epoch = self.ports.log.identity().epoch;
            if wanted.partition != partition || wanted.epoch > epoch {
                return Err(Problem::bad_request(format!(
                    "{wanted} is no position of the caller's journal, which is partition {partition}, epoch {epoch}"
                )));
            }
        }
        if let Some(offset) = min_control(headers)? {
            let patience = Duration::from_millis(self.config.control_timeout_ms);
            if !self.ports.control.reached(offset, patience).await {
                return Err(Problem::unavailable(format!("control offset {offset} has not arrived here yet")));
            }
        }
        if !self.ports.control.is_fresh() {
            return Err(Problem::unavailable("the published settings can't be read at present"));
        }
        Ok(Reading { state: self, user, partition, settings: self.ports.control.settings(), min_position })
    }
}

impl Reading<'_> {
    pub(crate) fn scoring(&self) -> Result<&Arc<ActiveScoring>, Problem> {
        self.settings.scoring.as_ref().ok_or_else(|| Problem::unavailable("no model is published yet"))
    }

    pub(crate) fn generations(&self) -> Result<&GenerationTables, Problem> {
        self.settings.generations.as_deref().ok_or_else(|| Problem::unavailable("no generation is active yet"))
    }

    fn projected(&self) -> Result<Generations<'_>, Problem> {
        let tables = self.generations()?;
        Ok(Generations { tables, board: self.state.ports.boards.of(&tables.name) })
    }

    pub(crate) async fn book(&self, symbol: &str) -> Result<Arc<CachedRow<ScoredBook>>, Problem> {
        let Generations { tables, board } = self.projected()?;
        let table = TableName(Arc::clone(&tables.book_table));
        let key = keys::book_key(self.user, symbol);
        let source = Source { table: &table, board: &board };
        Ok(self.state.books.read(source, &key, self.partition, self.min_position).await?)
    }

    pub(crate) async fn activity(&self, day: i32) -> Result<Arc<CachedRow<Activity>>, Problem> {
        let Generations { tables, board } = self.projected()?;
        let table = TableName(Arc::clone(&tables.activity_table));
        let key = keys::activity_key(self.user, day);
        let source = Source { table: &table, board: &board };
        Ok(self.state.activities.read(source, &key, self.partition, self.min_position).await?)
    }

    pub(crate) fn behind(&self, row: &CachedRow<ScoredBook>) -> u64 {
        self.state.books.behind(row, self.partition)
    }

    pub(crate) fn behind_activity(&self, row: &CachedRow<Activity>) -> u64 {
        self.state.activities.behind(row, self.partition)
    }

    /// The headers of an answer: what it is made from.
    pub(crate) fn headers(&self, position: Option<Position>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(HINDCAST_CONTROL, HeaderValue::from(self.settings.offset.unwrap_or_default()));
        if let Some(position) = position {
            headers.insert(HINDCAST_POSITION, position_value(position));
        }
        headers
    }
}

/// The position that a row's answer stands for: the row's own, or how far its absence is known.
pub(crate) fn covered<T>(row: &CachedRow<T>) -> Option<Position> {
    row.applied.or(row.progress.map(|progress| progress.position))
}
