//! One served confidence: row, score, policy, both records durable.

use std::time::Duration;

use hindcast_domain::Position;
use hindcast_journal::{LogError, NewRecord, RecordType, Topic};
use hindcast_schemas::{Action, DecisionMade, Event, SignalReceived};
use hindcast_service_kit::{clock::now_us, problem::Problem};

use crate::{
    decide::{Basis, decide},
    state::{ConfidenceState, Reading, covered},
};

/// Whether a decision is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Signal and decision are recorded.
    Record,
    /// Nothing is.
    DryRun,
}

/// A decision and what its answer tells beside it.
pub(crate) struct Served<'a> {
    pub(crate) decision: DecisionMade<'a>,
    /// Where the signal was recorded; `None` for a dry run.
    pub(crate) position: Option<Position>,
    /// Durable records of the partition that the book did not cover.
    pub(crate) behind: u64,
    /// Trades taken, as far as the book knows.
    pub(crate) trades: u64,
}

/// Room for a usual record of either kind, so that encoding does not grow its buffer.
const RECORD_BYTES: usize = 512;

/// Scores a signal and, unless it is a dry run, makes signal and decision durable.
pub(crate) async fn serve_decision<'a>(
    state: &ConfidenceState,
    reading: &'a Reading<'_>,
    signal: SignalReceived<'a>,
    mode: Mode,
    traceparent: Option<&str>,
) -> Result<Served<'a>, Problem> {
    let row = reading.book(&signal.symbol).await?;
    let basis = Basis {
        book: row.state.as_ref(),
        applied: covered(&row),
        generation: &reading.generations()?.book_fingerprint,
        scoring: reading.scoring()?,
        control_offset: reading.settings.offset.unwrap_or_default(),
    };
    let decision = decide(&basis, signal, now_us());
    let (behind, trades) = (reading.behind(&row), row.state.as_ref().map_or(0, |state| state.book.taken.trades));
    if mode == Mode::DryRun {
        return Ok(Served { decision, position: None, behind, trades });
    }
    let (decision, records) = records(state, reading.partition, decision, traceparent)?;
    let timer = state.append_seconds.start_timer();
    let patience = Duration::from_millis(state.config.append_timeout_ms);
    let positions = match tokio::time::timeout(patience, state.ports.log.append(records)).await {
        Ok(appended) => appended?,
        Err(_) => return Err(LogError::unknown("the log did not answer in time").into()),
    };
    timer.observe_duration();
    match decision.action {
        Action::Take => state.taken.inc(),
        Action::Skip => state.skipped.inc(),
    }
    Ok(Served { decision, position: positions.first().copied(), behind, trades })
}

/// Signal and decision as records, the signal first.
fn records<'a>(
    state: &ConfidenceState,
    partition: u16,
    decision: DecisionMade<'a>,
    traceparent: Option<&str>,
) -> Result<(DecisionMade<'a>, Vec<NewRecord>), Problem> {
    // Encoded apart from the decision, which has to own the signal: moved out and back rather than copied.
    let codec = &state.ports.codec;
    let mut decision_value = Vec::with_capacity(RECORD_BYTES);
    codec.encode_decision(&decision, &mut decision_value).map_err(|error| Problem::internal(error.to_string()))?;
    let DecisionMade { signal, .. } = decision;
    let event = Event::Signal(signal);
    let mut signal_value = Vec::with_capacity(RECORD_BYTES);
    codec.encode_event(&event, &mut signal_value).map_err(|error| Problem::internal(error.to_string()))?;
    let Event::Signal(signal) = event else { return Err(Problem::internal("a signal became another event")) };
    let record = |topic, record_type, value| NewRecord {
        topic,
        partition,
        key: signal.user_id.as_bytes().into(),
        record_type,
        timestamp_us: signal.received_at.0,
        traceparent: traceparent.map(Into::into),
        value,
    };
    let records = vec![
        record(Topic::Journal, RecordType::Signal, signal_value),
        record(Topic::Decisions, RecordType::Decision, decision_value),
    ];
    Ok((DecisionMade { signal, ..decision }, records))
}
