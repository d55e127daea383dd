//! `GET /v1/activity`: the caller's usage by day.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, TryStreamExt, stream};
use hindcast_bodies::FieldError;
use hindcast_service_kit::{
    auth::{Caller, Scope},
    params::QueryParams,
    problem::Problem,
};
use http::HeaderMap;
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problems::ReadProblems;
use crate::{answers::usd, state::Shared};

/// Days asked for at once.
const MAX_DAYS: usize = 366;
/// Rows read at a time.
const CONCURRENT_READS: usize = 16;

/// Which days.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityQuery {
    /// First day, UTC, `YYYY-MM-DD`; 30 days before `to` if left out.
    #[param(format = Date)]
    from: Option<String>,
    /// Last day, UTC, `YYYY-MM-DD`; today if left out.
    #[param(format = Date)]
    to: Option<String>,
}

/// The caller's usage, oldest day first; days without any are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityAnswer {
    days: Vec<DayAnswer>,
    /// Durable records of the user's partition that some of the days do not cover yet.
    behind: u64,
}

/// One day, UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayAnswer {
    /// `YYYY-MM-DD`.
    #[schema(format = Date)]
    day: String,
    /// Signals received.
    signals: u64,
    /// Closed trades that were taken.
    trades: u64,
    /// Those with a profit.
    wins: u64,
    /// Trades followed on paper.
    simulated_trades: u64,
    /// Trades taken back.
    trades_voided: u64,
    /// Sum of profits and losses of the trades taken, USD.
    pnl: f64,
}

/// The caller's usage by day.
#[utoipa::path(
    get,
    path = "/v1/activity",
    tag = "views",
    params(
        ActivityQuery,
        ("Hindcast-Min-Position" = Option<String>, Header, description = "Position that the answer must cover."),
        ("Hindcast-Control" = Option<u64>, Header, description = "Control offset that the answer must not be older than."),
    ),
    responses(
        (status = 200, description = "The days with any activity.", body = ActivityAnswer, headers(
            ("Hindcast-Control" = u64, description = "Control offset of the settings used."),
        )),
        ReadProblems,
    ),
)]
pub(super) async fn get_activity(
    State(state): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    QueryParams(query): QueryParams<ActivityQuery>,
) -> Result<Response, Problem> {
    caller.require(Scope::Trade)?;
    let days = asked_days(&query)?;
    let reading = state.reading(caller.user_id().as_str(), &headers).await?;
    let reading_of_day = &reading;
    let rows = stream::iter(days)
        .map(|day| async move { reading_of_day.activity(day_number(day)).await.map(|row| (day, row)) })
        .buffered(CONCURRENT_READS)
        .try_collect::<Vec<_>>()
        .await?;
    let behind = rows.iter().map(|(_, row)| reading.behind_activity(row)).max().unwrap_or_default();
    let days = rows
        .iter()
        .filter_map(|(day, row)| {
            let activity = row.state.as_ref()?;
            Some(DayAnswer {
                day: day.to_string(),
                signals: activity.signals,
                trades: activity.trades,
                wins: activity.wins,
                simulated_trades: activity.simulated,
                trades_voided: activity.voided,
                pnl: usd(activity.pnl_e9),
            })
        })
        .collect();
    Ok((reading.headers(None), Json(ActivityAnswer { days, behind })).into_response())
}

fn asked_days(query: &ActivityQuery) -> Result<Vec<Date>, Problem> {
    let mut faults = Vec::new();
    let mut read = |name: &str, text: &Option<String>| {
        let text = text.as_ref()?;
        let day: Option<Date> = text.parse().ok();
        if day.is_none() {
            faults.push(FieldError::new(format!("#query/{name}"), "must be a day such as 2026-01-31"));
        }
        day
    };
    let (from, to) = (read("from", &query.from), read("to", &query.to));
    if !faults.is_empty() {
        return Err(Problem::validation(faults));
    }
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let to = to.unwrap_or(today);
    let from = from.unwrap_or_else(|| to.saturating_sub(Span::new().days(29)));
    let days: Vec<Date> = from.series(Span::new().days(1)).take_while(|day| *day <= to).take(MAX_DAYS + 1).collect();
    if days.len() > MAX_DAYS {
        let detail = format!("at most {MAX_DAYS} days can be asked for at once");
        return Err(Problem::validation(vec![FieldError::new("#query/from", detail)]));
    }
    Ok(days)
}

/// Days since 1970-01-01.
fn day_number(day: Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.until(day).map_or(0, |span| span.get_days())
}
