//! Appending what was taken in, and telling where each event stands.

use std::{sync::Arc, time::Duration};

use hindcast_domain::Position;
use hindcast_journal::{LogError, RecordType};
use hindcast_service_kit::problem::Problem;

use super::{Intake, Taken};
use crate::{metrics::IngressMetrics, state::IngressState};

/// Events that are durable.
pub(crate) struct Appended<'a> {
    state: &'a IngressState,
    positions: Vec<Position>,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Its position; `None` for one that was recorded too long ago for its position to be known.
    pub(crate) position: Option<Position>,
    /// Whether it was taken in before.
    pub(crate) duplicate: bool,
}

impl<'a> Intake<'a> {
    /// Appends the new events and waits until they are durable.
    ///
    /// # Errors
    /// 503, with what is known of the outcome.
    pub(crate) async fn append(self) -> Result<Appended<'a>, Problem> {
        let Self { state, claims, records, .. } = self;
        if records.is_empty() {
            return Ok(Appended { state, positions: Vec::new() });
        }
        let counts = Counts::of(records.iter().map(|record| record.record_type));
        let metrics = Arc::clone(&state.metrics);
        let timer = metrics.append_seconds.start_timer();
        let appending = state.ports.log.append(records);
        if claims.is_empty() {
            let result = within(state, appending).await;
            timer.observe_duration();
            counts.add(&metrics, &result);
            return Ok(Appended { state, positions: result? });
        }
        // On its own, so that the outcome reaches those who wait for it even if this request is given up.
        let flight = claims.flight();
        tokio::spawn(async move {
            let result = appending.await;
            timer.observe_duration();
            counts.add(&metrics, &result);
            claims.land(result);
        });
        let positions = within(state, flight.landed()).await?.to_vec();
        Ok(Appended { state, positions })
    }
}

impl Appended<'_> {
    /// Where an event stands; waits for it if another request brings it in.
    ///
    /// # Errors
    /// 503, with what is known of the outcome.
    pub(crate) async fn place(&self, taken: &Taken) -> Result<Placed, Problem> {
        match taken {
            Taken::New(index) => {
                let position = self.positions.get(*index).copied().ok_or_else(misplaced)?;
                Ok(Placed { position: Some(position), duplicate: false })
            }
            Taken::Recorded(position) => Ok(Placed { position: *position, duplicate: true }),
            Taken::Known(known) => {
                let position = self.state.position_of(known).await?;
                Ok(Placed { position: Some(position), duplicate: true })
            }
        }
    }
}

impl IngressState {
    /// The position of an event that another request brings in.
    pub(crate) async fn position_of(&self, known: &crate::recent::Known) -> Result<Position, Problem> {
        within(self, known.flight.landed()).await?.get(known.index).copied().ok_or_else(misplaced)
    }
}

/// Waits for a log no longer than the configuration allows.
async fn within<T>(state: &IngressState, landing: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
    let patience = Duration::from_millis(state.config.append_timeout_ms);
    match tokio::time::timeout(patience, landing).await {
        Ok(result) => result,
        Err(_) => Err(LogError::unknown(format!("the log did not answer within {} ms", patience.as_millis()))),
    }
}

fn misplaced() -> Problem {
    Problem::internal("the log answered with fewer positions than records")
}

/// Events of an append, by kind.
#[derive(Default)]
struct Counts {
    signals: u64,
    trades: u64,
    voids: u64,
}

impl Counts {
    fn of(types: impl Iterator<Item = RecordType>) -> Self {
        let mut counts = Self::default();
        for record_type in types {
            match record_type {
                RecordType::Signal => counts.signals += 1,
                RecordType::Trade => counts.trades += 1,
                RecordType::Void => counts.voids += 1,
                _ => {}
            }
        }
        counts
    }

    fn add<T>(&self, metrics: &IngressMetrics, result: &Result<T, LogError>) {
        match result {
            Ok(_) => metrics.accepted(self.signals, self.trades, self.voids),
            Err(error) => {
                // The edge logs what is answered; this is for those whose requests were given up.
                tracing::debug!(error = error.detail, outcome = ?error.outcome, "events were not appended");
                metrics.failed(error.outcome);
            }
        }
    }
}
