//! What the HTTP API is as a whole: its description, its documentation page, its metrics.

use std::sync::Arc;

use axum::{Router, response::Response, routing::get};
use hindcast_service_kit::telemetry::metrics_response;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use super::metrics::EngineMetrics;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hindcast",
        description = "How much confidence does a trading signal deserve, given how its owner's past signals turned out?\n\n\
            Errors are `application/problem+json` (RFC 9457). Every answer carries `x-request-id`. A write's \
            `Hindcast-Position`, sent back as `Hindcast-Min-Position`, makes a read wait until it covers that write.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "events", description = "Signals and closed trades."),
        (name = "confidence", description = "How much confidence a signal deserves."),
        (name = "views", description = "The caller's own books and activity."),
        (name = "existing bots", description = "Routes under the names of the system that Hindcast replaces."),
        (name = "auth", description = "Short-lived tokens."),
        (name = "history", description = "The journal, for those who may read all of it."),
        (name = "admin", description = "Keys, status, dead letters."),
        (name = "operations", description = "Health and metrics."),
    ),
    modifiers(&Credentials),
    security(("api_key" = []), ("bearer" = [])),
)]
struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let key = ApiKeyValue::with_description("X-API-Key", "An API key, `hc_...`.");
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, or a token from `/v1/auth/token`."))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The routes of some roles put together with their description, documentation page and metrics.
pub(super) fn whole(routes: Vec<OpenApiRouter>, metrics: Arc<EngineMetrics>) -> (Router, utoipa::openapi::OpenApi) {
    let all = routes.into_iter().fold(OpenApiRouter::with_openapi(Description::openapi()), OpenApiRouter::merge);
    let (router, description) = all.split_for_parts();
    let router = router
        .merge(SwaggerUi::new("/docs").url("/openapi.json", description.clone()))
        .route("/metrics", get(move || get_metrics(Arc::clone(&metrics))));
    (router, description)
}

async fn get_metrics(metrics: Arc<EngineMetrics>) -> Response {
    metrics.update();
    metrics_response(metrics.registry())
}
