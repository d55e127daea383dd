//! The routes of ingress.

mod events;
mod identity;
mod save_trade;
mod signals;
mod trades;
mod void;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::{IngressState, Shared};

/// All routes, with their description for OpenAPI.
#[must_use]
pub fn router(state: Arc<IngressState>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(signals::post_signal))
        .routes(routes!(trades::post_trade))
        .routes(routes!(void::post_void))
        .routes(routes!(events::post_events))
        .routes(routes!(save_trade::save_trade))
        .with_state(Shared(state))
}
