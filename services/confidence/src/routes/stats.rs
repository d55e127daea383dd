//! `GET /api/ml/stats`: totals as existing bots read them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use hindcast_domain::Symbol;
use hindcast_fold::book::{Book, Totals};
use hindcast_service_kit::{
    auth::{Caller, Scope},
    headers::RequestHeaders,
    problem::{FieldError, Problem},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

use crate::{
    answers::{average_pnl, usd, win_rate},
    state::{ConfidenceState, active_generations},
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
    responses((status = 200, description = "The totals.", body = StatsAnswer)),
)]
pub(super) async fn get_stats(
    State(state): State<Arc<ConfidenceState>>,
    caller: Caller,
    headers: RequestHeaders,
    Query(query): Query<StatsQuery>,
) -> Result<Json<StatsAnswer>, Problem> {
    caller.require(Scope::Trade)?;
    caller.check_user(query.user_id.as_deref())?;
    let symbols = asked_symbols(&state, query.symbol.as_deref())?;
    let settings = state.settings(headers.control_offset()?).await?;
    let generations = active_generations(&settings)?;
    let user = caller.user_id().as_str();
    let min_position = state.min_position(&headers, user)?;
    let (mut sum, mut signals, mut behind) = (Totals::default(), 0, 0);
    let mut by_symbol = BTreeMap::new();
    for symbol in symbols {
        let row = state.book(&generations.book_table, user, symbol.as_str(), min_position).await?;
        behind = behind.max(state.behind(&row, user));
        let Some(Book { taken, signals: received, .. }) = row.state.as_ref().map(|state| &state.book) else { continue };
        sum.trades += taken.trades;
        sum.wins += taken.wins;
        sum.pnl_e9 += taken.pnl_e9;
        signals += received;
        by_symbol.insert(symbol.to_string(), TotalsAnswer::new(taken, *received));
    }
    let total = TotalsAnswer::new(&sum, signals);
    Ok(Json(StatsAnswer { user_id: user.to_owned(), total, by_symbol, behind }))
}

fn asked_symbols(state: &ConfidenceState, asked: Option<&str>) -> Result<Vec<Symbol>, Problem> {
    let instruments = &state.ports.instruments;
    let Some(asked) = asked else { return Ok(instruments.0.keys().cloned().collect()) };
    match instruments.0.get_key_value(asked) {
        Some((symbol, _)) => Ok(vec![symbol.clone()]),
        None => {
            let detail = format!("is no known instrument; known are {}", instruments.names());
            Err(Problem::validation(vec![FieldError { pointer: "symbol".to_owned(), detail }]))
        }
    }
}
