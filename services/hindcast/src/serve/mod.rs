//! Composes roles on adapters in this process.

mod api;
mod building;
pub mod config;
mod engine;
mod first_key;
mod health;
mod health_metric;
mod listeners;
mod metrics;
mod projection;
mod roles;

use std::{net::SocketAddr, sync::Arc};

use hindcast_control::{Control, bootstrap};
use hindcast_journal::Log;
use hindcast_reader::Boards;
use hindcast_registry::used_schemas;
use hindcast_service_kit::{
    auth::{Gate, SigningKeys},
    clock::now_us,
    server,
    shutdown::Shutdown,
    telemetry::{Edge, new_registry},
};
use tokio::task::JoinSet;

pub use config::{Overrides, Role, ServeConfig};
pub(crate) use engine::{open_bare_codec, open_log, open_views, remove, set_apart};
pub(crate) use first_key::BOOTSTRAP_VARIABLE;

use self::{
    building::Building, engine::Engine, health::Health, listeners::Listener, metrics::EngineMetrics,
    projection::Projection, roles::Parts,
};
use crate::exit::Failure;

/// A running system.
pub struct Running {
    /// Where it listens; the common listener of the process is among them unless every role has its own.
    pub listening: Vec<Listening>,
    /// The secret of the admin key that was created, when the data folder was empty.
    pub admin_key: Option<String>,
    shutdown: Shutdown,
    servers: JoinSet<()>,
    building: Option<Building>,
    projection: Projection,
    log: Arc<dyn Log>,
    boards: Arc<Boards>,
    control: Arc<Control>,
    engine: Engine,
}

/// One listener of a running system.
pub struct Listening {
    /// Its address.
    pub addr: SocketAddr,
    /// The roles that are served there.
    pub roles: Vec<Role>,
    /// What the HTTP API is there, as OpenAPI.
    pub description: utoipa::openapi::OpenApi,
}

impl Running {
    /// Where a role is served by this process.
    #[must_use]
    pub fn addr_of(&self, role: Role) -> Option<SocketAddr> {
        self.listening.iter().find(|listening| listening.roles.contains(&role)).map(|listening| listening.addr)
    }

    /// Durable journal records that are not projected yet, in all partitions together.
    #[must_use]
    pub fn lag_events(&self) -> u64 {
        let settings = self.control.settings();
        // A process runs only with a set that is active.
        settings.generations.as_deref().map_or(0, |active| self.boards.of(&active.name).lag_events(&*self.log))
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
        let Self { mut servers, building, projection, engine, log, .. } = self;
        while let Some(ended) = servers.join_next().await {
            ended.map_err(|error| Failure::failed(format_args!("the server panicked: {error}")))?;
        }
        // Writing rows and closing folders blocks on the disk.
        let stopped = tokio::task::spawn_blocking(move || {
            building.map(Building::stop).unwrap_or_default();
            let stopped = projection.stop();
            drop((log, engine));
            stopped
        });
        stopped.await.map_err(|error| Failure::failed(format_args!("stopping panicked: {error}")))?
    }
}

/// Starts all roles of the configuration and returns once they are ready.
///
/// # Errors
/// One clear line: port taken, folder in use, not writable, of another version.
pub async fn start(config: ServeConfig) -> Result<Running, Failure> {
    // Bound first: a taken port is told before any folder is touched. Requests wait until the routers are there.
    let listeners = listeners::bind(&config).await?;
    let shutdown = Shutdown::new();

    let engine = Engine::open(&config).await?;
    let (log, views) = (engine.log(), engine.views());
    let control = {
        let (log, config) = (Arc::clone(&log), config.control.clone());
        blocking(move || Control::follow(log, config).map_err(Failure::failed)).await?
    };
    let codec = {
        let (control, config) = (Arc::clone(&control), config.clone());
        blocking(move || engine::open_codec(&config, control)).await?
    };
    bootstrap(&control, used_schemas(&codec), now_us()).await.map_err(Failure::failed)?;
    let admin_key = if config.roles.contains(&Role::Admin) { first_key::ensure(&control).await? } else { None };

    let registry = new_registry().map_err(Failure::failed)?;
    let boards = Arc::new(Boards::new(log.identity().partitions));
    let projection = Projection::start(&config, &engine, &codec, &boards, &control, &registry).await?;
    let building = config.roles.contains(&Role::Builder);
    let building = building.then(|| Building::start(&config, &engine, &codec, &boards, &control, &registry));
    let building = building.transpose()?;

    let signing = {
        let config = config.clone();
        blocking(move || match &config.auth.signing_keys_file {
            Some(file) => SigningKeys::load(file).map_err(Failure::failed),
            None => {
                engine::make_data_folder(&config)?;
                SigningKeys::load_or_create(&config.data.join("signing-keys.json")).map_err(Failure::failed)
            }
        })
        .await?
    };
    let gate = Gate::new(Arc::clone(&control), signing, &config.auth);
    let health = Arc::new(Health {
        log: Arc::clone(&log),
        views: Arc::clone(&views),
        control: Arc::clone(&control),
        projector: projection.failure(),
        shutdown: shutdown.clone(),
    });
    health_metric::register(&health, &registry).map_err(Failure::failed)?;
    let edge = Edge::new(&registry, config.telemetry.access_log).map_err(Failure::failed)?;
    let metrics = Arc::new(EngineMetrics::new(registry.clone(), engine.clone()).map_err(Failure::failed)?);
    let serving = {
        let (config, log, boards) = (config.clone(), Arc::clone(&log), Arc::clone(&boards));
        let control = Arc::clone(&control);
        // Taking in events begins with reading where the journal ends.
        blocking(move || {
            let engines = config.engines();
            let parts =
                Parts { config: &config, log, views, boards, control, codec, gate, registry: &registry, engines };
            let with_router = |listener: Listener| {
                let mut routes = parts.routes(&listener.roles)?;
                routes.push(health::router(Arc::clone(&health)));
                let (router, description) = api::whole(routes, Arc::clone(&metrics));
                Ok((listener, edge.around(router), description))
            };
            listeners.into_iter().map(with_router).collect::<Result<Vec<_>, Failure>>()
        })
        .await?
    };
    let mut servers = JoinSet::new();
    let mut listening = Vec::new();
    for (Listener { listener, addr, roles }, router, description) in serving {
        let (server_config, stop) = (config.server.clone(), shutdown.wait());
        servers.spawn(async move { server::serve(listener, router, &server_config, stop).await });
        tracing::info!(%addr, ?roles, data = %config.data.display(), "serving");
        listening.push(Listening { addr, roles, description });
    }
    Ok(Running { listening, admin_key, shutdown, servers, building, projection, log, boards, control, engine })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::failed(format_args!("starting panicked: {error}"))),
    }
}
