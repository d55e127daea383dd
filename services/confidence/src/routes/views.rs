//! `GET /v1/views/{symbol}`: the caller's book.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_fold::book::Book;
use hindcast_service_kit::{
    answer::JsonAnswer,
    auth::{Caller, Scope},
    params::{PathParams, QueryParams},
    problem::{Problem, ProblemDocument},
};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use super::problems::ReadProblems;
use crate::{
    answers::BookAnswer,
    state::{Shared, covered},
};

/// How much of the book is told.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ViewQuery {
    /// Most recent trades told.
    #[serde(default = "default_recent")]
    #[param(minimum = 0, maximum = 65535, default = 20)]
    recent: u16,
}

fn default_recent() -> u16 {
    20
}

/// The caller's book for a symbol.
#[utoipa::path(
    get,
    path = "/v1/views/{symbol}",
    tag = "views",
    params(
        ("symbol" = String, Path, description = "The instrument, for example ES."),
        ViewQuery,
        ("Hindcast-Min-Position" = Option<String>, Header, description = "Position that the answer must cover."),
        ("Hindcast-Control" = Option<u64>, Header, description = "Control offset that the answer must not be older than."),
    ),
    responses(
        (status = 200, description = "The book.", body = BookAnswer, headers(
            ("Hindcast-Position" = String, description = "Position of the last record that the answer covers."),
            ("Hindcast-Control" = u64, description = "Control offset of the settings used."),
        )),
        (status = 404, description = "There is no such instrument.", body = ProblemDocument, content_type = "application/problem+json"),
        ReadProblems,
    ),
)]
pub(super) async fn get_view(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    PathParams(symbol): PathParams<String>,
    QueryParams(query): QueryParams<ViewQuery>,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    if state.ports.instruments.get(&symbol).is_none() {
        let known = state.ports.instruments.names();
        return Err(Problem::not_found(format!("there is no instrument of this symbol; known are {known}")));
    }
    let reading = state.reading(caller.user_id().as_str(), &headers).await?;
    let row = reading.book(&symbol).await?;
    let empty = Book::default();
    let book = row.state.as_ref().map_or(&empty, |state| &state.book);
    let position = covered(&row);
    let rules = reading.generations()?.set.book.params.regimes.as_deref();
    let recent = usize::from(query.recent);
    let answer = BookAnswer::new(&symbol, book, rules, recent, position, reading.behind(&row));
    Ok((reading.headers(position), JsonAnswer(answer)).into_response())
}
