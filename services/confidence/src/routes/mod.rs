//! The routes of the read side.

mod activity;
mod bots;
mod confidence;
mod problems;
mod stats;
mod views;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::{ConfidenceState, Shared};

/// All routes, with their description for OpenAPI.
#[must_use]
pub fn router(state: Arc<ConfidenceState>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(confidence::post_confidence))
        .routes(routes!(bots::get_confidence))
        .routes(routes!(views::get_view))
        .routes(routes!(activity::get_activity))
        .routes(routes!(stats::get_stats))
        .with_state(Shared(state))
}
