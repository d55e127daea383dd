//! Requests that no route takes.

use axum::Router;
use http::{Method, Uri};

use super::Problem;

/// Makes a router answer unknown routes and methods with problems. Call it last: routes added later are not covered.
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.fallback(unknown_route).method_not_allowed_fallback(method_not_allowed)
}

async fn unknown_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is no route {}", uri.path()))
}

/// The router adds which methods the route takes.
async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::method_not_allowed(format!("{} does not take {method}", uri.path()))
}
