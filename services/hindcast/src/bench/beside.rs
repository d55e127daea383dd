//! Our path and its limit, loaded by turns: a machine that becomes slower or faster meanwhile does so for both.

use std::time::Duration;

use super::{
    BenchError, bare,
    load::{Load, Plan, Requests, closed_loop},
    system::System,
};

/// How long one side is measured, at most, before it is the other's turn.
const TURN: Duration = Duration::from_secs(2);

/// What was measured of both.
pub(super) struct Beside {
    pub(super) ours: Load,
    pub(super) limit: Load,
}

/// Loads a system, and a bare handler with as many connections, for the time of the plan each.
pub(super) async fn beside_bare(
    system: &System,
    plan: Plan,
    ours: impl Requests,
    limit: impl Requests,
) -> Result<Beside, BenchError> {
    let (addr, bare) = bare::start().await?;
    let measured = by_turns(system, (plan, ours), (Plan { addr, expect: bare::STATUS, ..plan }, limit)).await;
    bare.abort();
    measured
}

async fn by_turns(
    system: &System,
    (our_plan, ours): (Plan, impl Requests),
    (its_plan, limit): (Plan, impl Requests),
) -> Result<Beside, BenchError> {
    let mut measured = Beside { ours: Load::nothing()?, limit: Load::nothing()? };
    let mut left = our_plan.measure;
    while !left.is_zero() {
        let measure = left.min(TURN);
        left -= measure;
        measured.ours.add(&closed_loop(Plan { measure, ..our_plan }, ours.clone()).await?)?;
        // What our path has still to do is not to be done in the other's time.
        system.caught_up().await?;
        measured.limit.add(&closed_loop(Plan { measure, ..its_plan }, limit.clone()).await?)?;
    }
    Ok(measured)
}
