//! `GET /v1/views/{symbol}`: the caller's book.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use hindcast_fold::book::Book;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    headers::RequestHeaders,
    problem::Problem,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    answers::BookAnswer,
    state::{ConfidenceState, active_generations},
};

/// How much of the book is told.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ViewQuery {
    /// Most recent trades told, 0 to 256.
    #[serde(default = "default_recent")]
    #[param(minimum = 0, maximum = 256, default = 20)]
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
    params(("symbol" = String, Path, description = "The instrument, for example ES."), ViewQuery),
    responses((status = 200, description = "The book.", body = BookAnswer)),
)]
pub(super) async fn get_view(
    State(state): State<Arc<ConfidenceState>>,
    caller: Caller,
    headers: RequestHeaders,
    Path(symbol): Path<String>,
    Query(query): Query<ViewQuery>,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    if state.ports.instruments.get(&symbol).is_none() {
        let known = state.ports.instruments.names();
        return Err(Problem::not_found(format!("there is no instrument of this symbol; known are {known}")));
    }
    let settings = state.settings(headers.control_offset()?).await?;
    let generations = active_generations(&settings)?;
    let user = caller.user_id().as_str();
    let row = state.book(&generations.book_table, user, &symbol, state.min_position(&headers, user)?).await?;
    let empty = Book::default();
    let book = row.state.as_ref().map_or(&empty, |state| &state.book);
    let position = row.applied.or(row.progress.map(|progress| progress.position));
    let answer = BookAnswer::new(&symbol, book, usize::from(query.recent), position, state.behind(&row, user));
    Ok((state.answer_headers(&settings, position), Json(answer)).into_response())
}
