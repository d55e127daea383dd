//! `/health`, `/livez`, `/readyz`: for people, orchestrators and load balancers.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_control::Control;
use hindcast_journal::Log;
use hindcast_service_kit::shutdown::Shutdown;
use hindcast_views::ViewStore;
use http::StatusCode;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What health is judged by.
pub(super) struct Health {
    pub(super) log: Arc<dyn Log>,
    pub(super) views: Arc<dyn ViewStore>,
    pub(super) control: Arc<Control>,
    /// Why the projector of this process gave up, if it did.
    pub(super) projector: Option<watch::Receiver<Option<String>>>,
    pub(super) shutdown: Shutdown,
}

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthAnswer {
    /// `healthy` or `degraded`.
    status: &'static str,
    /// `healthy`, or what is wrong with the log.
    log: &'static str,
    /// `healthy`, or what is wrong with the views.
    views: &'static str,
    /// `healthy`, or what is wrong with the published settings.
    control: &'static str,
    /// `healthy`, or what is wrong with the projector of this process.
    projector: &'static str,
}

pub(super) fn router(health: Arc<Health>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(get_livez))
        .routes(routes!(get_readyz))
        .with_state(health)
}

impl Health {
    /// Each part and whether it is healthy.
    pub(super) fn parts(&self) -> [(&'static str, bool); 4] {
        let HealthAnswer { log, views, control, projector, .. } = self.answer();
        [("log", log), ("views", views), ("control", control), ("projector", projector)]
            .map(|(part, says)| (part, says == "healthy"))
    }

    /// Why something is wrong goes to the log lines and to operators; the answer names the part only.
    fn answer(&self) -> HealthAnswer {
        let part = |healthy: bool, otherwise: &'static str| if healthy { "healthy" } else { otherwise };
        let log = part(self.log.health().is_ok(), "takes no writes at present");
        let views = part(self.views.health().is_ok(), "take no rows at present");
        let control = part(self.control.is_fresh(), "can't be read at present");
        let projector = part(!self.gave_up(), "has given up; see the log lines");
        let healthy = [log, views, control, projector].iter().all(|part| *part == "healthy");
        HealthAnswer { status: part(healthy, "degraded"), log, views, control, projector }
    }

    fn gave_up(&self) -> bool {
        self.projector.as_ref().is_some_and(|failed| failed.borrow().is_some())
    }
}

fn answered(is_well: bool, answer: HealthAnswer) -> Response {
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer)).into_response()
}

/// How the process is.
#[utoipa::path(
    get,
    path = "/health",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "All is well.", body = HealthAnswer),
        (status = 503, description = "Something is not.", body = HealthAnswer),
    ),
)]
async fn get_health(State(health): State<Arc<Health>>) -> Response {
    let answer = health.answer();
    answered(answer.status == "healthy", answer)
}

/// Whether the process runs at all.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "operations",
    security(()),
    responses((status = 204, description = "It does.")),
)]
async fn get_livez() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether requests should be sent here: the process is not stopping and its projector has not given up. What all
/// processes share, the log and the store, is no reason to send requests elsewhere: with the store down writes go on, with
/// the log down reads do, and what fails is told why. `/health` judges those too.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "They should.", body = HealthAnswer),
        (status = 503, description = "They should not.", body = HealthAnswer),
    ),
)]
async fn get_readyz(State(health): State<Arc<Health>>) -> Response {
    let mut answer = health.answer();
    let is_stopping = health.shutdown.is_triggered();
    if is_stopping {
        answer.status = "stopping";
    }
    answered(!is_stopping && !health.gave_up(), answer)
}
