//! The one way in which records become states.
//!
//! # Which row a record is routed to
//! | record of a user's key | admission of the user | book of (user, its symbol) | activity of (user, day) |
//! |---|---|---|---|
//! | at or below the admission's `applied` | no | no | no |
//! | unusable, or a duplicate | yes | no | no |
//! | fresh signal or trade | yes | yes | yes, the UTC day of its `occurred_at` |
//! | fresh void | yes | yes | yes, the UTC day of its trade's `occurred_at` |
//!
//! A row's `applied` rises to the record's position exactly when the record is routed to it, whether or not it changes
//! anything else; so a row's bytes depend on nothing but the journal up to its `applied`.
//!
//! # Why crashes and second owners change nothing
//! Rows are written books and activities first, then admissions, then the partition's progress. After a crash between
//! any two, folding goes on from the stored progress: records that a stored admission has seen are skipped whole, all
//! others get the verdict they got before (it depends on the admission alone), and books and activities that were
//! stored ahead of their admission skip by their own `applied`. What an owner MUST do for this: hold, for one user, no
//! book and no activity older than the admission it holds. It is so when the admission is read from the store before
//! they are, and forgotten no later than they are. Writes of an owner that was left behind are refused by version.

use hindcast_domain::{Position, TimestampUs};
use hindcast_schemas::Event;

pub use crate::generation::FoldParams;
use crate::{
    activity::Activity,
    admission::{Admission, Unusable, Verdict},
    book::Book,
    soundness,
};

/// A record as the folds take it.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // nearly all are events
pub enum Input<'a> {
    /// An event.
    Event(Event<'a>),
    /// A record that should have been an event.
    Unusable {
        /// Why it is none.
        reason: Unusable,
        /// The same for people, for dead letters; no fold looks at it.
        detail: String,
    },
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// The admission had seen its position before: nothing changed.
    Skipped,
    /// It was folded.
    Applied(Verdict),
}

/// The states of users, by key. A key without a state has the default one.
pub trait States {
    /// The admission of a user.
    fn admission(&mut self, user: &str) -> &mut Admission;
    /// The book of a user and a symbol.
    fn book(&mut self, user: &str, symbol: &str) -> &mut Book;
    /// The activity of a user on a day since 1970-01-01 UTC.
    fn activity(&mut self, user: &str, day: i32) -> &mut Activity;
}

impl Input<'_> {
    /// Symbol of the only book that the record can be routed to.
    #[must_use]
    pub fn symbol(&self) -> Option<&str> {
        match self {
            Self::Event(event) => Some(event.symbol()),
            Self::Unusable { .. } => None,
        }
    }

    /// Day of the only activity that the record can be routed to.
    #[must_use]
    pub fn day(&self) -> Option<i32> {
        match self {
            Self::Event(event) => Some(counted_at(event).day()),
            Self::Unusable { .. } => None,
        }
    }

    /// What is wrong with the record itself, for people; empty when nothing is.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Event(event) => soundness::fault(event).unwrap_or_default(),
            Self::Unusable { detail, .. } => detail,
        }
    }
}

/// When an event counts: a void changes the day of its trade.
fn counted_at(event: &Event<'_>) -> TimestampUs {
    match event {
        Event::Signal(signal) => signal.occurred_at,
        Event::Trade(trade) => trade.occurred_at,
        Event::Void(void) => void.trade_occurred_at,
    }
}

/// Folds one record of a user's key. Records of one partition are given in the order of the journal.
///
/// Asks for no states but those of [`Input::symbol`] and [`Input::day`], and for the book and the activity only if the
/// record is routed there.
pub fn fold_record(
    states: &mut impl States,
    params: &FoldParams,
    user: &str,
    input: &Input<'_>,
    position: Position,
) -> Folded {
    let admission = states.admission(user);
    if has_seen(admission.applied(), position) {
        return Folded::Skipped;
    }
    let verdict = admission.admit(&params.admission, user, input, position);
    if let (Verdict::Fresh, Input::Event(event)) = (verdict, input) {
        let book = states.book(user, event.symbol());
        if !has_seen(book.applied(), position) {
            book.fold(&params.book, user, event, position);
        }
        let activity = states.activity(user, counted_at(event).day());
        if !has_seen(activity.applied(), position) {
            activity.fold(event, position);
        }
    }
    Folded::Applied(verdict)
}

fn has_seen(applied: Option<Position>, position: Position) -> bool {
    applied.is_some_and(|applied| position.order() <= applied.order())
}
