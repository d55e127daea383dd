//! The way of events into the journal: known ones are told apart, the others are appended together.

mod append;
mod ids;

use std::sync::Arc;

use hindcast_domain::{EventKind, Position};
use hindcast_fold::admission::content_hash;
use hindcast_journal::{NewRecord, RecordType, Topic};
use hindcast_reader::CachedRow;
use hindcast_schemas::Event;
use hindcast_service_kit::problem::Problem;

pub(crate) use append::{Appended, Placed};
pub(crate) use ids::EventIds;

use crate::{
    problems::event_id_conflict,
    recent::{Claims, Known},
    rows::AdmissionRow,
    state::IngressState,
};

/// Takes in the events of one request.
pub(crate) struct Intake<'a> {
    state: &'a IngressState,
    user: &'a str,
    /// The key of its records.
    key: Arc<[u8]>,
    partition: u16,
    traceparent: Option<&'a str>,
    claims: Claims,
    records: Vec<NewRecord>,
    admission: Lookup,
}

/// The user's admission: looked up once for a request, and only if some event has an id of its own.
enum Lookup {
    NotYet,
    Failed,
    Found(Arc<CachedRow<AdmissionRow>>),
}

/// Where an event's id is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Made here: the event can't be known.
    Made,
    /// The client's: the event may be known, and then has to have the same content.
    Own,
    /// Derived from another event's: the event may be known, whatever was said beside it.
    Derived,
}

/// What was made of an event.
pub(crate) enum Taken {
    /// It is appended, at this place among the records.
    New(usize),
    /// It is under way or was just appended.
    Known(Known),
    /// It was recorded before; where is known if it is among the latest of its user.
    Recorded(Option<Position>),
}

/// Room for a usual record, so that encoding does not grow its buffer.
const RECORD_BYTES: usize = 320;

impl<'a> Intake<'a> {
    /// For about that many events of a user.
    pub(crate) fn new(state: &'a IngressState, user: &'a str, traceparent: Option<&'a str>, events: usize) -> Self {
        Self {
            state,
            user,
            key: user.as_bytes().into(),
            partition: state.partition(user),
            traceparent,
            claims: Claims::new(&state.recent),
            records: Vec::with_capacity(events),
            admission: Lookup::NotYet,
        }
    }

    /// Takes an event in, if it is not known.
    ///
    /// # Errors
    /// 409 if another event is known under its id.
    pub(crate) async fn take(&mut self, event: &Event<'_>, identity: Identity) -> Result<Taken, Problem> {
        if identity == Identity::Made {
            let record = self.record(event)?;
            self.records.push(record);
            return Ok(Taken::New(self.records.len() - 1));
        }
        let content = content_hash(event);
        let is_same = |seen: u64| identity == Identity::Derived || seen == content;
        let id = self.state.recent.id(self.user, event.kind(), event.event_id());
        let known = match self.state.recent.find(id) {
            Some(known) => known,
            None => {
                if let Some(recorded) = self.recorded(event).await {
                    return if recorded.content.is_none_or(is_same) {
                        self.state.metrics.duplicate(event.kind());
                        Ok(Taken::Recorded(recorded.position))
                    } else {
                        Err(event_id_conflict(event.event_id()))
                    };
                }
                let record = self.record(event)?;
                match self.claims.claim(id, content, self.records.len()) {
                    Ok(()) => {
                        self.records.push(record);
                        return Ok(Taken::New(self.records.len() - 1));
                    }
                    // Another request was faster.
                    Err(known) => known,
                }
            }
        };
        if is_same(known.content) {
            self.state.metrics.duplicate(event.kind());
            Ok(Taken::Known(known))
        } else {
            Err(event_id_conflict(event.event_id()))
        }
    }

    /// What the views know of an event. Not being able to ask is no reason to refuse it: the fold counts it once.
    async fn recorded(&mut self, event: &Event<'_>) -> Option<Recorded> {
        if matches!(self.admission, Lookup::NotYet) {
            self.admission = self.look_up().await;
        }
        let Lookup::Found(row) = &self.admission else { return None };
        let AdmissionRow(admission) = row.state.as_ref()?;
        if let Some((position, content)) = admission.find(event.kind(), event.event_id()) {
            return Some(Recorded { position: Some(position), content: Some(content) });
        }
        let place = event.import()?;
        let highest = admission.import_sequence(&place.source)?;
        (place.sequence <= highest).then_some(Recorded { position: None, content: None })
    }

    async fn look_up(&self) -> Lookup {
        let mut row = self.state.admission(self.user, self.state.before.position(self.partition)).await;
        if row.as_ref().is_err_and(|problem| problem.wanted.is_some()) {
            // The projection is behind what was there before the start. What it knows is better than nothing.
            row = self.state.admission(self.user, None).await;
        }
        match row {
            Ok(row) => Lookup::Found(row),
            Err(problem) => {
                self.state.metrics.lookups_failed.inc();
                tracing::debug!(
                    detail = problem.detail,
                    internal = problem.internal,
                    "can't look whether events were sent before; they are stored"
                );
                Lookup::Failed
            }
        }
    }

    fn record(&self, event: &Event<'_>) -> Result<NewRecord, Problem> {
        let mut value = Vec::with_capacity(RECORD_BYTES);
        self.state
            .ports
            .codec
            .encode_event(event, &mut value)
            .map_err(|error| Problem::internal(format!("a valid event can't be encoded: {error}")))?;
        Ok(NewRecord {
            topic: Topic::Journal,
            partition: self.partition,
            key: Arc::clone(&self.key),
            record_type: record_type(event.kind()),
            timestamp_us: event.received_at().0,
            traceparent: self.traceparent.map(Into::into),
            value,
        })
    }
}

impl IngressState {
    /// Takes one event in and waits until it is durable.
    ///
    /// # Errors
    /// 409 if another event is known under its id; 503, with what is known of the outcome.
    pub(crate) async fn record(
        &self,
        user: &str,
        event: &Event<'_>,
        identity: Identity,
        traceparent: Option<&str>,
    ) -> Result<Placed, Problem> {
        let mut intake = Intake::new(self, user, traceparent, 1);
        let taken = intake.take(event, identity).await?;
        intake.append().await?.place(&taken).await
    }
}

/// An event in the views.
struct Recorded {
    position: Option<Position>,
    /// Hash of what was recorded.
    content: Option<u64>,
}

fn record_type(kind: EventKind) -> RecordType {
    match kind {
        EventKind::Signal => RecordType::Signal,
        EventKind::Trade => RecordType::Trade,
        EventKind::Void => RecordType::Void,
    }
}
