//! `/admin/v1/reprojections`: another set of generations beside the one that is read, from plan to drop.

mod answers;
mod cutover;
mod plan;
mod size;
mod steps;
mod verification;

use std::sync::Arc;

use hindcast_control::{Change, KnownSet, Requested};
use hindcast_service_kit::{auth::Caller, clock::now_us, problem::Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::verification::Jobs;
use crate::state::Shared;

/// Longest reason that is recorded.
const MAX_WHY: usize = 500;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(answers::list, plan::plan))
        .routes(routes!(answers::one))
        .routes(routes!(steps::build))
        .routes(routes!(verification::verify))
        .routes(routes!(verification::verification))
        .routes(routes!(cutover::cutover))
        .routes(routes!(cutover::rollback))
        .routes(routes!(steps::drop))
}

fn known(state: &Shared, name: &str) -> Result<Arc<KnownSet>, Problem> {
    let settings = state.ports.control.settings();
    settings.sets.get(name).cloned().ok_or_else(|| Problem::not_found(format!("there is no set of generations {name}")))
}

/// Records a change in the caller's name; returns its control offset.
async fn record(state: &Shared, caller: &Caller, change: Change, why: String) -> Result<u64, Problem> {
    let control = &state.ports.control;
    let based_on = control.last_change(&change.entity());
    let by = caller.key.id.to_string();
    Ok(control.change(Requested { change, based_on, by, why, at: now_us() }).await?)
}
