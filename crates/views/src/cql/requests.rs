//! One statement at a time to the store, a bounded number of them at once.
//!
//! A request that was sent is never cancelled: the driver would have to keep its stream id until the answer comes, and
//! gives up a connection with too many such ids. So each runs as a task of its own that ends with the answer or with the
//! connection (keep-alives that are not answered end that), and holds its place until then; whoever waits for it gives up
//! earlier.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use scylla::{
    client::session::Session,
    errors::ExecutionError,
    response::{PagingState, PagingStateResponse, query_result::QueryResult},
    serialize::row::SerializeRow,
    statement::{Consistency, Statement, prepared::PreparedStatement},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{config::CqlViewsConfig, connect::SCHEMA_TIMEOUT, failure::Failure, health::Health};
use crate::{TableName, ViewError};

/// What a request is for, for errors.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    pub(super) verb: &'static str,
    pub(super) table: &'a TableName,
}

impl fmt::Display for Purpose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.verb, self.table.0)
    }
}

pub(super) struct Requests {
    session: Arc<Session>,
    runtime: Handle,
    /// Places for all requests.
    places: Arc<Semaphore>,
    /// Places that writes may take.
    write_places: Arc<Semaphore>,
    most: usize,
    most_seen: AtomicUsize,
    timeout: Duration,
    pub(super) health: Health,
}

/// Held by a request until its answer is there.
struct Place {
    _any: OwnedSemaphorePermit,
    _write: Option<OwnedSemaphorePermit>,
}

impl Requests {
    /// Has to be called within the runtime that the session was made in.
    pub(super) fn new(session: Session, config: &CqlViewsConfig) -> Self {
        let most = usize::from(config.in_flight).max(1);
        Self {
            session: Arc::new(session),
            runtime: Handle::current(),
            places: Arc::new(Semaphore::new(most)),
            write_places: Arc::new(Semaphore::new((most - most / 4).max(1))),
            most,
            most_seen: AtomicUsize::new(0),
            timeout: Duration::from_millis(config.request_timeout_ms),
            health: Health::default(),
        }
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn in_flight(&self) -> usize {
        self.most.saturating_sub(self.places.available_permits())
    }

    /// The most requests that were in flight at a time.
    pub(super) fn most_in_flight(&self) -> usize {
        self.most_seen.load(Ordering::Relaxed)
    }

    /// Reads what a statement asks for.
    pub(super) async fn read(
        &self,
        purpose: Purpose<'_>,
        statement: &Arc<PreparedStatement>,
        values: impl SerializeRow + Send + Sync + 'static,
    ) -> Result<QueryResult, Failure> {
        let (session, statement) = (Arc::clone(&self.session), Arc::clone(statement));
        self.run(purpose, false, async move { session.execute_unpaged(&statement, values).await }).await
    }

    /// Reads a page of what a statement asks for.
    pub(super) async fn read_page(
        &self,
        purpose: Purpose<'_>,
        statement: &Arc<PreparedStatement>,
        values: impl SerializeRow + Send + Sync + 'static,
        from: PagingState,
    ) -> Result<(QueryResult, PagingStateResponse), Failure> {
        let (session, statement) = (Arc::clone(&self.session), Arc::clone(statement));
        self.run(purpose, false, async move { session.execute_single_page(&statement, values, from).await }).await
    }

    /// Writes a row.
    pub(super) async fn write(
        &self,
        purpose: Purpose<'_>,
        statement: &Arc<PreparedStatement>,
        values: impl SerializeRow + Send + Sync + 'static,
    ) -> Result<(), Failure> {
        let (session, statement) = (Arc::clone(&self.session), Arc::clone(statement));
        self.run(purpose, true, async move { session.execute_unpaged(&statement, values).await }).await?;
        self.health.went_well();
        Ok(())
    }

    /// Reads the schema, as any one node knows it.
    pub(super) async fn ask(&self, text: String) -> Result<QueryResult, ViewError> {
        self.schema("read the schema", text, self.timeout).await
    }

    /// Changes the schema. It is done when the nodes agree on it.
    pub(super) async fn change(&self, text: String) -> Result<(), ViewError> {
        self.schema("change the schema", text, SCHEMA_TIMEOUT).await.map(drop)
    }

    async fn schema(&self, to_do: &str, text: String, timeout: Duration) -> Result<QueryResult, ViewError> {
        let session = Arc::clone(&self.session);
        let running = self.runtime.spawn(async move {
            let mut statement = Statement::new(text);
            statement.set_is_idempotent(true);
            statement.set_consistency(Consistency::One);
            session.query_unpaged(statement, ()).await
        });
        let result = match tokio::time::timeout(timeout, running).await {
            Ok(Ok(result)) => result.map_err(|error| Failure::new(to_do, &error)),
            Ok(Err(_)) => Err(Failure::Other(ViewError::retryable("the view store's driver panicked"))),
            Err(_) => Err(Failure::timed_out(to_do, timeout.as_millis())),
        };
        result.map_err(|failure| self.noted(failure).into())
    }

    async fn run<T: Send + 'static>(
        &self,
        purpose: Purpose<'_>,
        is_write: bool,
        request: impl Future<Output = Result<T, ExecutionError>> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = tokio::time::timeout(self.timeout, self.place(is_write)).await;
        let place = place.map_err(|_| self.noted(self.timed_out(purpose)))?;
        let running = self.runtime.spawn(async move {
            let result = request.await;
            drop(place);
            result
        });
        match tokio::time::timeout(self.timeout, running).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(self.noted(Failure::new(&purpose.to_string(), &error))),
            Ok(Err(_)) => Err(Failure::Other(ViewError::retryable("the view store's driver panicked"))),
            Err(_) => Err(self.noted(self.timed_out(purpose))),
        }
    }

    async fn place(&self, is_write: bool) -> Place {
        // Never closed.
        let write = if is_write { Arc::clone(&self.write_places).acquire_owned().await.ok() } else { None };
        let any = loop {
            if let Ok(any) = Arc::clone(&self.places).acquire_owned().await {
                break any;
            }
        };
        self.most_seen.fetch_max(self.in_flight(), Ordering::Relaxed);
        Place { _any: any, _write: write }
    }

    fn timed_out(&self, purpose: Purpose<'_>) -> Failure {
        Failure::timed_out(&purpose.to_string(), self.timeout.as_millis())
    }

    /// What stands in the way of one request stands in the way of others.
    fn noted(&self, failure: Failure) -> Failure {
        if let Failure::Other(error) = &failure
            && error.retryable
        {
            self.health.broke(&error.detail);
        }
        failure
    }
}
