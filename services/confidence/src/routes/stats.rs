//! `GET /api/ml/stats`: totals as existing bots read them.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use hindcast_bodies::FieldError;
use hindcast_domain::Symbol;
use hindcast_fold::book::Totals;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    params::QueryParams,
    problem::Problem,
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problems::ReadProblems;
use crate::{
    answers::{average_pnl, usd, win_rate},
    state::{ConfidenceState, Shared},
};

/// Whose totals.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatsQuery {
    /// The caller's own user id, if given.
    user_id: Option<String>,
    /// One instrument; all of them if left out.
    symbol: Option<String>,
}

/// Totals over closed trades that were taken.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TotalsAnswer {
    /// Closed trades.
    total_trades: u64,
    /// Those with a profit.
    winning_trades: u64,
    /// `winning_trades / total_trades`; 0 without trades.
    win_rate: f64,
    /// Profit or loss of a trade on average, USD; 0 without trades.
    average_pnl: f64,
    /// Sum of profits and losses, USD.
    total_pnl: f64,
    /// Signals received.
    total_signals: u64,
}

/// Totals of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatsAnswer {
    /// The user.
    user_id: String,
    #[serde(flatten)]
    total: TotalsAnswer,
    /// The same by instrument, those with any signal or trade.
    by_symbol: BTreeMap<String, TotalsAnswer>,
    /// Durable records of the caller's partition that this does not cover yet.
    behind: u64,
}

impl TotalsAnswer {
    fn new(totals: &Totals, signals: u64) -> Self {
        Self {
            total_trades: totals.trades,
            winning_trades: totals.wins,
            win_rate: win_rate(totals).unwrap_or_default(),
            average_pnl: average_pnl(totals).unwrap_or_default(),
            total_pnl: usd(totals.pnl_e9),
            total_signals: signals,
        }
    }
}

/// Totals, by symbol.
#[utoipa::path(
    get,
    path = "/api/ml/stats",
    tag = "existing bots",
    params(StatsQuery),
    responses(
        (status = 200, description = "The totals.", body = StatsAnswer, headers(
            ("Hindcast-Control" = u64, description = "Control offset of the settings used."),
        )),
        ReadProblems,
    ),
)]
pub(super) async fn get_stats(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    QueryParams(query): QueryParams<StatsQuery>,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    caller.check_user(query.user_id.as_deref())?;
    let symbols = asked_symbols(&state, query.symbol.as_deref())?;
    let reading = state.reading(caller.user_id().as_str(), &headers).await?;
    let (mut sum, mut signals, mut behind) = (Totals::default(), 0, 0);
    let mut by_symbol = BTreeMap::new();
    for symbol in symbols {
        let row = reading.book(symbol.as_str()).await?;
        behind = behind.max(reading.behind(&row));
        let Some(book) = row.state.as_ref().map(|state| &state.book) else { continue };
        sum.trades += book.taken.trades;
        sum.wins += book.taken.wins;
        sum.pnl_e9 += book.taken.pnl_e9;
        signals += book.signals;
        by_symbol.insert(symbol.to_string(), TotalsAnswer::new(&book.taken, book.signals));
    }
    let total = TotalsAnswer::new(&sum, signals);
    let answer = StatsAnswer { user_id: reading.user.to_owned(), total, by_symbol, behind };
    Ok((reading.headers(None), Json(answer)).into_response())
}

fn asked_symbols(state: &ConfidenceState, asked: Option<&str>) -> Result<Vec<Symbol>, Problem> {
    let instruments = &state.ports.instruments;
    let Some(asked) = asked else { return Ok(instruments.0.keys().cloned().collect()) };
    match instruments.0.get_key_value(asked) {
        Some((symbol, _)) => Ok(vec![symbol.clone()]),
        None => {
            let detail = format!("is no known instrument; known are {}", instruments.names());
            Err(Problem::validation(vec![FieldError::new("#query/symbol", detail)]))
        }
    }
}
