//! All states held of one user.

use std::sync::Arc;

use hindcast_domain::Symbol;
use hindcast_fold::{
    activity::Activity,
    admission::Admission,
    book::Book,
    keys,
    pipeline::{Input, States},
};
use hindcast_views::RowWrite;

use crate::tables::Tables;

/// A state and whether the store has it.
#[derive(Debug, Default)]
struct Slot<T> {
    state: T,
    changed: bool,
    /// Length of the row when it was last written: the next one is about as long.
    row_bytes: usize,
}

/// All states held of one user.
///
/// They are forgotten together: the folds rely on no book and no activity being older than the admission.
#[derive(Debug)]
pub(crate) struct UserStates {
    pub(crate) name: Arc<str>,
    admission: Option<Slot<Admission>>,
    books: Vec<(Box<str>, Slot<Book>)>,
    activities: Vec<(i32, Slot<Activity>)>,
    /// Memory it was last counted with.
    pub(super) counted_bytes: usize,
    /// Part of that which the store does not have: all or nothing.
    pub(super) counted_changed_bytes: usize,
    /// Something differs from the store; the user is in its partition's list of changed users.
    pub(crate) changed: bool,
    /// Something was folded since memory was last counted.
    pub(crate) touched: bool,
}

/// What an entry costs beside its states: names, tables of the maps, lists.
const OVERHEAD_BYTES: usize = 256;
/// What a slot costs beside its state: key, flags, unused capacity of the vector.
const SLOT_OVERHEAD_BYTES: usize = 64;
/// Activities held of one user from one write to the next.
const HELD_DAYS: usize = 16;
/// The store puts a position behind the row; without space for it the row would be copied.
const SPARE_ROW_BYTES: usize = 64;

impl UserStates {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            admission: None,
            books: Vec::new(),
            activities: Vec::new(),
            counted_bytes: 0,
            counted_changed_bytes: 0,
            changed: false,
            touched: false,
        }
    }

    /// Whether all states are here that an input can be routed to.
    pub(crate) fn holds(&self, input: &Input<'_>) -> bool {
        self.has_admission()
            && input.symbol().is_none_or(|symbol| !self.lacks_book(symbol))
            && input.day().is_none_or(|day| !self.lacks_activity(day))
    }

    pub(crate) fn has_admission(&self) -> bool {
        self.admission.is_some()
    }

    /// Whether a book is not here that could be asked for. No record with an impossible symbol ever is fresh.
    pub(crate) fn lacks_book(&self, symbol: &str) -> bool {
        !self.books.iter().any(|(name, _)| **name == *symbol) && Symbol::is_valid(symbol)
    }

    pub(crate) fn lacks_activity(&self, day: i32) -> bool {
        // The day asked for is mostly the latest one.
        !self.activities.iter().rev().any(|(held, _)| *held == day)
    }

    pub(crate) fn put_admission(&mut self, state: Admission) {
        self.admission = Some(Slot { state, changed: false, row_bytes: 0 });
    }

    pub(crate) fn put_book(&mut self, symbol: &str, state: Book) {
        self.books.push((symbol.into(), Slot { state, changed: false, row_bytes: 0 }));
    }

    pub(crate) fn put_activity(&mut self, day: i32, state: Activity) {
        self.activities.push((day, Slot { state, changed: false, row_bytes: 0 }));
    }

    pub(super) fn memory_bytes(&self) -> usize {
        OVERHEAD_BYTES
            + self.admission.as_ref().map_or(0, |slot| slot.state.memory_bytes())
            + self.books.iter().map(|(_, slot)| SLOT_OVERHEAD_BYTES + slot.state.memory_bytes()).sum::<usize>()
            + self.activities.iter().map(|(_, slot)| SLOT_OVERHEAD_BYTES + slot.state.memory_bytes()).sum::<usize>()
    }

    /// Rows that the store does not have: books and activities; the admission apart, because it is written last.
    pub(super) fn changed_rows(&mut self, tables: &Tables, rows: &mut Vec<RowWrite>, last: &mut Vec<RowWrite>) {
        let user = &*self.name;
        for (symbol, slot) in self.books.iter_mut().filter(|(_, slot)| slot.changed) {
            if let Some(applied) = slot.state.applied() {
                let state = encoded(&mut slot.row_bytes, |into| slot.state.encode(into));
                rows.push(RowWrite { table: tables.book.clone(), key: keys::book_key(user, symbol), applied, state });
            }
        }
        for (day, slot) in self.activities.iter_mut().filter(|(_, slot)| slot.changed) {
            if let Some(applied) = slot.state.applied() {
                let state = encoded(&mut slot.row_bytes, |into| slot.state.encode(into));
                let key = keys::activity_key(user, *day);
                rows.push(RowWrite { table: tables.activity.clone(), key, applied, state });
            }
        }
        if let Some(slot) = self.admission.as_mut().filter(|slot| slot.changed)
            && let Some(applied) = slot.state.applied()
        {
            let state = encoded(&mut slot.row_bytes, |into| slot.state.encode(into));
            last.push(RowWrite { table: tables.admission.clone(), key: keys::admission_key(user), applied, state });
        }
    }

    /// Takes note that the store has all of it.
    pub(super) fn written(&mut self) {
        self.changed = false;
        self.books.iter_mut().for_each(|(_, slot)| slot.changed = false);
        self.activities.iter_mut().for_each(|(_, slot)| slot.changed = false);
        // Days come and go: only the latest ones seen are worth holding.
        self.activities.drain(..self.activities.len().saturating_sub(HELD_DAYS));
        if let Some(slot) = &mut self.admission {
            slot.changed = false;
        }
    }
}

/// The fold asks for no states but those that [`UserStates::holds`] looked for.
impl States for UserStates {
    fn admission(&mut self, _user: &str) -> &mut Admission {
        let slot = self.admission.get_or_insert_default();
        slot.changed = true;
        &mut slot.state
    }

    fn book(&mut self, _user: &str, symbol: &str) -> &mut Book {
        let slot = slot_of(&mut self.books, |name| **name == *symbol, || symbol.into());
        slot.changed = true;
        &mut slot.state
    }

    fn activity(&mut self, _user: &str, day: i32) -> &mut Activity {
        let slot = slot_of(&mut self.activities, |held| *held == day, || day);
        slot.changed = true;
        &mut slot.state
    }
}

fn slot_of<K, T: Default>(
    slots: &mut Vec<(K, Slot<T>)>,
    is_it: impl Fn(&K) -> bool,
    key: impl FnOnce() -> K,
) -> &mut Slot<T> {
    let index = slots.iter().rposition(|(key, _)| is_it(key)).unwrap_or(slots.len());
    if index == slots.len() {
        slots.push((key(), Slot::default()));
    }
    #[allow(clippy::indexing_slicing)] // found or pushed just above
    &mut slots[index].1
}

fn encoded(row_bytes: &mut usize, encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut row = Vec::with_capacity(*row_bytes + SPARE_ROW_BYTES);
    encode(&mut row);
    *row_bytes = row.len();
    row
}
