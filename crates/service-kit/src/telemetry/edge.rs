//! What every request passes first and every answer last.

use std::sync::Arc;

use axum::Router;
use prometheus::Registry;

/// What every request passes first and every answer last: request id, span, metrics, panics caught, problems rendered.
pub struct Edge {}

impl Edge {
    /// An edge that counts into a registry.
    ///
    /// # Errors
    /// When one of its metrics' names is taken.
    pub fn new(_registry: &Registry, _access_log: bool) -> Result<Arc<Self>, prometheus::Error> {
        todo!()
    }

    /// Puts a finished router behind the edge; unknown routes and methods answer problems. Call it last.
    pub fn around(self: &Arc<Self>, _router: Router) -> Router {
        todo!()
    }
}
