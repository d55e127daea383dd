//! Parameters in paths and queries, refused with problems.

use axum::extract::{FromRequestParts, Path, Query};
use hindcast_bodies::FieldError;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Parameters of the path, as [`axum::extract::Path`].
#[derive(Debug, Clone)]
pub struct PathParams<T>(pub T);

/// Parameters of the query, as [`axum::extract::Query`].
#[derive(Debug, Clone)]
pub struct QueryParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(params)) => Ok(Self(params)),
            // A path that names nothing is a path to nothing.
            Err(rejection) => Err(Problem::not_found(rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let mut problem = Problem::bad_request("the query can't be understood");
                problem.errors.push(FieldError::new("#query", rejection.body_text()));
                Err(problem)
            }
        }
    }
}
