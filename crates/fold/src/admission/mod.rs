//! What is fresh and what is a duplicate, by user.
//!
//! Every record of a user's key is routed to the user's admission and raises its `applied`; only fresh events are
//! routed any further. The verdict on a record depends on the admission's state alone, never on a book or an activity:
//! after a crash between the writing of rows the same verdicts follow again from the stored admission, and books that
//! are ahead of it skip what they have seen.

mod content;
mod sources;
mod verdict;
mod window;

use hindcast_domain::{EventKind, Position};
use hindcast_schemas::{Event, TradeVoided};
use uuid::Uuid;

pub use self::{
    content::content_hash,
    sources::MAX_SOURCES,
    verdict::{Unusable, Verdict},
};
use self::{
    sources::Sources,
    window::{Seen, Window},
};
use crate::{
    encoding::{NO_POSITION, Put, Rest, RowError},
    generation::AdmissionParams,
    pipeline::Input,
    soundness,
};

/// Version of the row's encoding.
const ROW_VERSION: u8 = 1;

/// What is known of the records of one user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Admission {
    applied: Option<Position>,
    fresh: u64,
    duplicates: u64,
    conflicts: u64,
    rejected: u64,
    window: Window,
    sources: Sources,
}

impl Admission {
    /// Position of the last record of the user.
    #[must_use]
    pub fn applied(&self) -> Option<Position> {
        self.applied
    }

    /// How many events were seen for the first time.
    #[must_use]
    pub fn fresh(&self) -> u64 {
        self.fresh
    }

    /// How many events had been seen before, conflicts among them.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// How many events had been seen before with another content under the same id.
    #[must_use]
    pub fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// How many records no fold could use.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Where an event was first seen and the hash of its content; `None` when it is not among the latest ids.
    #[must_use]
    pub fn find(&self, kind: EventKind, event_id: Uuid) -> Option<(Position, u64)> {
        self.window.find(kind, event_id).map(|seen| (seen.position, seen.content))
    }

    /// Makes [`Self::find`] fast, for whoever looks for many ids in a decoded row.
    #[must_use]
    pub fn with_index(mut self) -> Self {
        self.window.make_index();
        self
    }

    /// The highest sequence seen of an import source; `None` when it is not among the latest [`MAX_SOURCES`].
    #[must_use]
    pub fn import_sequence(&self, source: &str) -> Option<u64> {
        self.sources.highest(source)
    }

    /// Takes in a record of the user's key and says what it is.
    pub(crate) fn admit(
        &mut self,
        params: &AdmissionParams,
        user: &str,
        input: &Input<'_>,
        position: Position,
    ) -> Verdict {
        self.applied = Some(position);
        let verdict = match input {
            Input::Unusable { reason, .. } => Verdict::Rejected(*reason),
            Input::Event(event) => match self.unusable(user, event, position) {
                Some(reason) => Verdict::Rejected(reason),
                None => self.admit_event(params, event, position),
            },
        };
        match verdict {
            Verdict::Fresh => self.fresh += 1,
            Verdict::Duplicate { conflicting, .. } => {
                self.duplicates += 1;
                self.conflicts += u64::from(conflicting);
            }
            Verdict::Rejected(_) => self.rejected += 1,
        }
        verdict
    }

    fn unusable(&self, user: &str, event: &Event<'_>, position: Position) -> Option<Unusable> {
        if event.user_id() != user {
            return Some(Unusable::WrongUser);
        }
        if soundness::fault(event).is_some() {
            return Some(Unusable::Impossible);
        }
        match event {
            Event::Void(void) => self.unusable_void(void, position),
            Event::Signal(_) | Event::Trade(_) => None,
        }
    }

    /// A void takes back what its trade did. If the window reaches back to the trade's position and doesn't hold the
    /// trade, the trade never took effect (it was itself a duplicate, or unusable). Beyond the window the void is
    /// taken at its word: ingress makes one only of a trade that it has read from the journal.
    fn unusable_void(&self, void: &TradeVoided<'_>, position: Position) -> Option<Unusable> {
        if void.trade_position.order() >= position.order() {
            return Some(Unusable::Impossible);
        }
        if self.window.find(EventKind::Trade, void.trade_event_id).is_some() {
            return None;
        }
        let reaches_back = self.window.len() == self.fresh
            || self.window.oldest().is_some_and(|oldest| oldest.order() <= void.trade_position.order());
        reaches_back.then_some(Unusable::NothingToVoid)
    }

    fn admit_event(&mut self, params: &AdmissionParams, event: &Event<'_>, position: Position) -> Verdict {
        let repeated_import = event.import().is_some_and(|place| !self.sources.raise(&place.source, place.sequence));
        let seen = Seen { position, event_id: event.event_id(), content: content_hash(event), kind: event.kind() };
        if let Some(first) = self.window.find(seen.kind, seen.event_id) {
            return Verdict::Duplicate { first: Some(first.position), conflicting: first.content != seen.content };
        }
        if repeated_import {
            return Verdict::Duplicate { first: None, conflicting: false };
        }
        self.window.push(seen, params.window_ids);
        Verdict::Fresh
    }

    /// Appends the row.
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.byte(ROW_VERSION);
        let mut previous = NO_POSITION;
        into.applied(&mut previous, self.applied);
        for count in [self.fresh, self.duplicates, self.conflicts, self.rejected] {
            into.varint(count);
        }
        self.sources.encode(into);
        self.window.encode(&mut previous, into);
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When the bytes are no row of an admission.
    pub fn decode(row: &[u8]) -> Result<Self, RowError> {
        let mut rest = Rest::of_row(row, ROW_VERSION)?;
        let mut previous = NO_POSITION;
        let mut admission = Self::take_counts(&mut rest, &mut previous).ok_or(RowError::Damaged("counts"))?;
        admission.sources = Sources::take(&mut rest).ok_or(RowError::Damaged("import sources"))?;
        admission.window = Window::take(&mut previous, &mut rest).ok_or(RowError::Damaged("window of ids"))?;
        rest.end()?;
        if admission.window.len() > admission.fresh {
            return Err(RowError::Damaged("count of fresh events"));
        }
        Ok(admission)
    }

    fn take_counts(rest: &mut Rest<'_>, previous: &mut Position) -> Option<Self> {
        Some(Self {
            applied: rest.applied(previous)?,
            fresh: rest.tally()?,
            duplicates: rest.tally()?,
            conflicts: rest.tally()?,
            rejected: rest.tally()?,
            ..Self::default()
        })
    }

    /// Bytes of memory it takes, roughly.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.window.heap_bytes() + self.sources.heap_bytes()
    }
}
