//! For operators and data scientists: keys, status, dead letters, reading the journal, other generations.

mod config;
mod dead_letters;
mod fields;
mod history;
mod keys;
mod new_key;
mod problems;
mod reprojections;
mod state;
mod status;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use config::AdminConfig;
pub use new_key::{KeySpec, create_key};
pub use state::{AdminPorts, AdminState};

/// All routes, with their description for OpenAPI.
#[must_use]
pub fn router(state: Arc<AdminState>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(status::get_status))
        .routes(routes!(dead_letters::list))
        .routes(routes!(history::get_journal))
        .merge(reprojections::routes())
        .with_state(state::Shared(state))
}
