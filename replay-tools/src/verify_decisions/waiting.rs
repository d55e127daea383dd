//! Decisions that wait for the journal pass to reach the row they were made on.

use std::collections::BTreeMap;

use hindcast_domain::Position;
use hindcast_fold::book::Book;
use hindcast_schemas::Codec;

use super::{
    derive::derive,
    finding::{Cause, Report},
    recorded::{ByRow, Decision, RowAsked},
    settings::SettingsHistory,
};
use crate::states::UserStates;

/// Everything that waits in one pass, by user.
pub(super) struct Waiting(BTreeMap<Box<str>, OfUser>);

#[derive(Default)]
struct OfUser {
    states: UserStates,
    books: BTreeMap<Box<str>, OfBook>,
}

/// Decisions made on one book.
#[derive(Default)]
struct OfBook {
    /// Position of the first record routed to it.
    since: Option<Position>,
    /// By epoch and offset of the row.
    on_row: BTreeMap<Option<(u8, u64)>, Vec<Decision>>,
    /// By epoch and offset up to which there was no row.
    on_nothing: BTreeMap<Option<(u8, u64)>, Vec<Decision>>,
}

impl Waiting {
    pub(super) fn new(decisions: ByRow) -> Self {
        let mut users: BTreeMap<Box<str>, OfUser> = BTreeMap::new();
        for (RowAsked { user, symbol, applied, row_found }, decisions) in decisions {
            let book = users.entry(user).or_default().books.entry(symbol).or_default();
            let waiting = if row_found { &mut book.on_row } else { &mut book.on_nothing };
            waiting.insert(applied, decisions);
        }
        Self(users)
    }

    /// Whether records of a key are needed.
    pub(super) fn wants(&self, key: &[u8]) -> bool {
        std::str::from_utf8(key).is_ok_and(|user| self.0.contains_key(user))
    }

    pub(super) fn states(&mut self, user: &str) -> Option<&mut UserStates> {
        self.0.get_mut(user).map(|of_user| &mut of_user.states)
    }

    /// Derives what was made on the row as it is now, if the record just folded was routed to it.
    pub(super) fn folded(
        &mut self,
        user: &str,
        symbol: &str,
        position: Position,
        settings: &SettingsHistory,
        codec: &Codec,
        report: &mut Report,
    ) {
        let Some(OfUser { states, books }) = self.0.get_mut(user) else { return };
        let (Some(book), Some(waiting)) = (states.books.get(symbol), books.get_mut(symbol)) else { return };
        if book.applied() != Some(position) {
            return;
        }
        waiting.since.get_or_insert(position);
        for decision in waiting.on_row.remove(&Some(position.order())).unwrap_or_default() {
            derive(&decision, book, settings, codec, report);
        }
    }

    /// Derives what was made without a row, and reports what waits for rows that never were.
    pub(super) fn finish(self, settings: &SettingsHistory, codec: &Codec, report: &mut Report) {
        let nothing = Book::default();
        for OfBook { since, on_row, on_nothing } in self.0.into_values().flat_map(|of_user| of_user.books.into_values())
        {
            for (until, decisions) in on_nothing {
                let was_there = since.filter(|since| until.is_some_and(|until| since.order() <= until));
                for decision in decisions {
                    match was_there {
                        Some(since) => report.found(decision.finding(Cause::RowWasThere { since: since.to_string() })),
                        None => derive(&decision, &nothing, settings, codec, report),
                    }
                }
            }
            for (applied, decisions) in on_row {
                for decision in decisions {
                    let applied = applied
                        .map(|(epoch, offset)| Position { epoch, partition: decision.partition, offset }.to_string());
                    report.found(decision.finding(Cause::NoSuchRow { applied }));
                }
            }
        }
    }
}
