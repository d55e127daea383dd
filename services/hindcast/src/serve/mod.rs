//! Composes roles on adapters in this process.

mod api;
pub mod config;
mod engine;
mod first_key;
mod health;
mod health_metric;
mod metrics;

use std::{net::SocketAddr, sync::Arc};

use hindcast_admin::{AdminPorts, AdminState};
use hindcast_confidence::{ConfidencePorts, ConfidenceState};
use hindcast_control::{Control, UsedSchema, bootstrap};
use hindcast_ingress::{IngressPorts, IngressState};
use hindcast_journal::{Log, Topic};
use hindcast_projector::{Projector, ProjectorMetrics, ProjectorPorts};
use hindcast_reader::ProgressBoard;
use hindcast_schemas::{Codec, LocalRegistry, known::KNOWN_SCHEMAS};
use hindcast_service_kit::{
    auth::{Gate, SigningKeys},
    clock::now_us,
    server,
    shutdown::Shutdown,
    telemetry::{Edge, new_registry},
};
use hindcast_views::{TableName, ViewStore};
use tokio::{net::TcpListener, task::JoinHandle};
use utoipa_axum::router::OpenApiRouter;

pub use config::{Overrides, Role, ServeConfig};
pub(crate) use first_key::BOOTSTRAP_VARIABLE;

use self::{engine::Engine, health::Health, metrics::EngineMetrics};
use crate::exit::Failure;

/// A running system.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The secret of the admin key that was created, when the data folder was empty.
    pub admin_key: Option<String>,
    /// What the HTTP API is, as OpenAPI.
    pub description: utoipa::openapi::OpenApi,
    shutdown: Shutdown,
    server: JoinHandle<()>,
    projector: Option<Projector>,
    log: Arc<dyn Log>,
    board: Arc<ProgressBoard>,
    engine: Engine,
}

impl Running {
    /// Durable journal records that are not projected yet, in all partitions together.
    #[must_use]
    pub fn lag_events(&self) -> u64 {
        let lag = |partition| {
            let end = *self.log.durable_end(Topic::Journal, partition).borrow();
            end.saturating_sub(self.board.current(partition).map_or(0, |progress| progress.next_offset))
        };
        (0..self.log.identity().partitions).map(lag).sum()
    }

    /// Resolves when somebody wishes to stop.
    pub async fn stop_wished(&self) {
        self.shutdown.wait().await;
    }

    /// Triggers the stop on SIGTERM and SIGINT.
    ///
    /// # Errors
    /// When the signals can't be caught.
    pub fn stop_on_signals(&self) -> Result<(), Failure> {
        self.shutdown.on_signals().map_err(|error| Failure::failed(format_args!("signals can't be caught: {error}")))
    }

    /// Stops accepting, finishes what was begun, flushes.
    ///
    /// # Errors
    /// When something could not be finished.
    pub async fn shutdown(self) -> Result<(), Failure> {
        self.shutdown.trigger();
        self.server.await.map_err(|error| Failure::failed(format_args!("the server panicked: {error}")))?;
        let (projector, engine, log) = (self.projector, self.engine, self.log);
        // Writing rows and closing folders blocks on the disk.
        let stopped = tokio::task::spawn_blocking(move || {
            let stopped = projector.map_or(Ok(()), Projector::stop);
            drop((log, engine));
            stopped
        });
        let stopped = stopped.await.map_err(|error| Failure::failed(format_args!("stopping panicked: {error}")))?;
        stopped.map_err(Failure::failed)
    }
}

/// Starts all roles of the configuration and returns once they are ready.
///
/// # Errors
/// One clear line: port taken, folder in use, not writable, of another version.
pub async fn start(config: ServeConfig) -> Result<Running, Failure> {
    // Bound first: a taken port is told before any folder is touched. Requests wait until the router is there.
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        Failure::failed(format_args!("{} can't be listened on: {error}; choose another with --listen", config.listen))
    })?;
    let addr = listener.local_addr().map_err(Failure::failed)?;
    let shutdown = Shutdown::new();

    let opening = config.clone();
    let (engine, control) = blocking(move || {
        let engine = Engine::open(&opening)?;
        let control = Control::follow(engine.log(), opening.control).map_err(Failure::failed)?;
        Ok((engine, control))
    })
    .await?;
    let (log, views) = (engine.log(), engine.views());
    let codec = Arc::new(Codec::new(LocalRegistry).map_err(Failure::failed)?);
    bootstrap(&control, used_schemas(), now_us()).await.map_err(Failure::failed)?;
    let admin_key = first_key::ensure(&control).await?;

    let registry = new_registry().map_err(Failure::failed)?;
    let board = Arc::new(ProgressBoard::new(log.identity().partitions));
    let generations =
        control.settings().generations.clone().ok_or_else(|| Failure::failed("no generation is active"))?;
    let projector = if config.roles.contains(&Role::Projector) {
        let metrics = ProjectorMetrics::register(&registry, log.identity()).map_err(Failure::failed)?;
        let ports = ProjectorPorts {
            log: Arc::clone(&log),
            views: Arc::clone(&views),
            codec: Arc::clone(&codec),
            board: Arc::clone(&board),
            metrics: Arc::new(metrics),
        };
        Some(Projector::start(&ports, &generations.set, &config.projector).map_err(Failure::failed)?)
    } else {
        publish_stored_progress(&*log, &*views, &board, &TableName(Arc::clone(&generations.book_table))).await?;
        None
    };

    let signing = {
        let file = config.auth.signing_keys_file.clone();
        let own = config.data.join("signing-keys.json");
        blocking(move || match file {
            Some(file) => SigningKeys::load(&file).map_err(Failure::failed),
            None => SigningKeys::load_or_create(&own).map_err(Failure::failed),
        })
        .await?
    };
    let gate = Gate::new(Arc::clone(&control), signing, &config.auth);
    let metrics = Arc::new(EngineMetrics::new(registry.clone(), engine.clone()).map_err(Failure::failed)?);
    let parts = Parts {
        config: &config,
        log: Arc::clone(&log),
        views,
        board: Arc::clone(&board),
        control,
        codec,
        gate,
        registry: &registry,
    };
    let health = Arc::new(Health {
        log: Arc::clone(&parts.log),
        views: Arc::clone(&parts.views),
        control: Arc::clone(&parts.control),
        projector: projector.as_ref().map(Projector::failure),
        shutdown: shutdown.clone(),
    });
    health_metric::register(&health, &registry).map_err(Failure::failed)?;
    let mut routes = parts.routes()?;
    routes.push(health::router(health));
    drop(parts);
    let (router, description) = api::whole(routes, metrics);
    let edge = Edge::new(&registry, config.telemetry.access_log).map_err(Failure::failed)?;
    let router = edge.around(router);
    let (server_config, stop) = (config.server.clone(), shutdown.wait());
    let server = tokio::spawn(async move { server::serve(listener, router, &server_config, stop).await });
    tracing::info!(%addr, roles = ?config.roles, data = %config.data.display(), "serving");
    Ok(Running { addr, admin_key, description, shutdown, server, projector, log, board, engine })
}

/// What the roles are built on.
struct Parts<'a> {
    config: &'a ServeConfig,
    log: Arc<dyn Log>,
    views: Arc<dyn ViewStore>,
    board: Arc<ProgressBoard>,
    control: Arc<Control>,
    codec: Arc<Codec>,
    gate: Arc<Gate>,
    registry: &'a prometheus::Registry,
}

impl Parts<'_> {
    fn routes(&self) -> Result<Vec<OpenApiRouter>, Failure> {
        let instruments = Arc::new(self.config.instruments.clone());
        let mut routes = Vec::new();
        if self.config.roles.contains(&Role::Ingress) {
            let ports = IngressPorts {
                log: Arc::clone(&self.log),
                views: Arc::clone(&self.views),
                board: Arc::clone(&self.board),
                control: Arc::clone(&self.control),
                codec: Arc::clone(&self.codec),
                gate: Arc::clone(&self.gate),
                instruments: Arc::clone(&instruments),
            };
            let state =
                IngressState::new(ports, self.config.ingress.clone(), self.registry).map_err(Failure::failed)?;
            routes.push(hindcast_ingress::router(Arc::new(state)));
        }
        if self.config.roles.contains(&Role::Confidence) {
            let ports = ConfidencePorts {
                log: Arc::clone(&self.log),
                views: Arc::clone(&self.views),
                board: Arc::clone(&self.board),
                control: Arc::clone(&self.control),
                codec: Arc::clone(&self.codec),
                gate: Arc::clone(&self.gate),
                instruments: Arc::clone(&instruments),
            };
            let state = ConfidenceState::new(ports, self.config.confidence.clone(), self.registry);
            routes.push(hindcast_confidence::router(Arc::new(state.map_err(Failure::failed)?)));
        }
        if self.config.roles.contains(&Role::Admin) {
            let state = AdminState::new(AdminPorts {
                log: Arc::clone(&self.log),
                views: Arc::clone(&self.views),
                board: Arc::clone(&self.board),
                control: Arc::clone(&self.control),
                codec: Arc::clone(&self.codec),
                gate: Arc::clone(&self.gate),
                version: env!("CARGO_PKG_VERSION"),
                engines: Engine::names(),
            });
            routes.push(hindcast_admin::router(Arc::new(state)));
            routes.push(hindcast_service_kit::auth::router::<Arc<Gate>>().with_state(Arc::clone(&self.gate)));
        }
        Ok(routes)
    }
}

/// The schemas of this build, as control keeps them.
fn used_schemas() -> Vec<UsedSchema> {
    KNOWN_SCHEMAS
        .iter()
        .map(|known| UsedSchema {
            id: known.local_id,
            subject: known.subject.name().to_owned(),
            version: known.version,
            schema: known.json.to_owned(),
        })
        .collect()
}

/// Without a projector in this process nobody else tells how far the rows are.
async fn publish_stored_progress(
    log: &dyn Log,
    views: &dyn ViewStore,
    board: &ProgressBoard,
    table: &TableName,
) -> Result<(), Failure> {
    for partition in 0..log.identity().partitions_of(Topic::Journal) {
        if let Some(progress) = views.progress(table, partition).await.map_err(Failure::failed)? {
            board.publish(partition, progress);
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::failed(format_args!("starting panicked: {error}"))),
    }
}
