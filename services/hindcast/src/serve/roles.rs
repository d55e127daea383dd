//! The roles of a process, built on its ports.

use std::sync::Arc;

use hindcast_admin::{AdminPorts, AdminState};
use hindcast_confidence::{ConfidencePorts, ConfidenceState};
use hindcast_control::Control;
use hindcast_ingress::{IngressPorts, IngressState};
use hindcast_journal::Log;
use hindcast_reader::Boards;
use hindcast_schemas::Codec;
use hindcast_service_kit::auth::Gate;
use hindcast_views::ViewStore;
use utoipa_axum::router::OpenApiRouter;

use super::config::{Role, ServeConfig};
use crate::exit::Failure;

/// What the roles are built on.
pub(super) struct Parts<'a> {
    pub(super) config: &'a ServeConfig,
    pub(super) log: Arc<dyn Log>,
    pub(super) views: Arc<dyn ViewStore>,
    pub(super) boards: Arc<Boards>,
    pub(super) control: Arc<Control>,
    pub(super) codec: Arc<Codec>,
    pub(super) gate: Arc<Gate>,
    pub(super) registry: &'a prometheus::Registry,
    /// Kind of the log and of the views.
    pub(super) engines: (&'static str, &'static str),
}

impl Parts<'_> {
    /// The routes of some roles. Blocks on the log.
    pub(super) fn routes(&self, roles: &[Role]) -> Result<Vec<OpenApiRouter>, Failure> {
        let instruments = Arc::new(self.config.instruments.clone());
        let mut routes = Vec::new();
        if roles.contains(&Role::Ingress) {
            let ports = IngressPorts {
                log: Arc::clone(&self.log),
                views: Arc::clone(&self.views),
                boards: Arc::clone(&self.boards),
                control: Arc::clone(&self.control),
                codec: Arc::clone(&self.codec),
                gate: Arc::clone(&self.gate),
                instruments: Arc::clone(&instruments),
            };
            let state =
                IngressState::new(ports, self.config.ingress.clone(), self.registry).map_err(Failure::failed)?;
            routes.push(hindcast_ingress::router(Arc::new(state)));
        }
        if roles.contains(&Role::Confidence) {
            let ports = ConfidencePorts {
                log: Arc::clone(&self.log),
                views: Arc::clone(&self.views),
                boards: Arc::clone(&self.boards),
                control: Arc::clone(&self.control),
                codec: Arc::clone(&self.codec),
                gate: Arc::clone(&self.gate),
                instruments: Arc::clone(&instruments),
            };
            let state = ConfidenceState::new(ports, self.config.confidence.clone(), self.registry);
            routes.push(hindcast_confidence::router(Arc::new(state.map_err(Failure::failed)?)));
        }
        if roles.contains(&Role::Admin) {
            let state = AdminState::new(AdminPorts {
                log: Arc::clone(&self.log),
                views: Arc::clone(&self.views),
                boards: Arc::clone(&self.boards),
                control: Arc::clone(&self.control),
                codec: Arc::clone(&self.codec),
                gate: Arc::clone(&self.gate),
                version: env!("CARGO_PKG_VERSION"),
                engines: self.engines,
            });
            routes.push(hindcast_admin::router(Arc::new(state)));
            routes.push(hindcast_service_kit::auth::router::<Arc<Gate>>().with_state(Arc::clone(&self.gate)));
        }
        Ok(routes)
    }
}
