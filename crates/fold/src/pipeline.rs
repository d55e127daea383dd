//! The one way in which records become states.

use hindcast_domain::Position;
use hindcast_schemas::Event;

pub use crate::generation::FoldParams;
use crate::{
    activity::Activity,
    admission::{Admission, Unusable, Verdict},
    book::Book,
};

/// A record as the folds take it.
#[derive(Debug, Clone, PartialEq)]
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
        todo!()
    }

    /// Day of the only activity that the record can be routed to.
    #[must_use]
    pub fn day(&self) -> Option<i32> {
        todo!()
    }

    /// What is wrong with the record, for people; empty when nothing is.
    #[must_use]
    pub fn detail(&self) -> &str {
        todo!()
    }
}

/// Folds one record of a user's key.
pub fn fold_record(
    _states: &mut impl States,
    _params: &FoldParams,
    _user: &str,
    _input: &Input<'_>,
    _position: Position,
) -> Folded {
    todo!()
}
