//! The states that a projector holds, by user, in order of last use.

use hindcast_fold::{
    activity::Activity, admission::Admission, book::Book, generation::GenerationSet, keys, pipeline::States,
};
use hindcast_views::{RowWrite, TableName};
use schnellru::{LruMap, Unlimited};

/// A state and whether the store has it.
#[derive(Debug, Default)]
struct Slot<T> {
    state: T,
    changed: bool,
}

/// All states held of one user.
#[derive(Debug, Default)]
pub(crate) struct UserStates {
    admission: Option<Slot<Admission>>,
    books: Vec<(Box<str>, Slot<Book>)>,
    activities: Vec<(i32, Slot<Activity>)>,
    /// What the user was last counted with.
    counted_bytes: usize,
    /// Whether the user is in the list of changed users.
    pub(crate) listed: bool,
}

/// What an entry costs beside its states.
const USER_OVERHEAD_BYTES: usize = 256;
/// Activities held of one user between two writes.
const HELD_DAYS: usize = 16;

impl UserStates {
    pub(crate) fn has_admission(&self) -> bool {
        self.admission.is_some()
    }

    pub(crate) fn has_book(&self, symbol: &str) -> bool {
        self.books.iter().any(|(name, _)| **name == *symbol)
    }

    pub(crate) fn has_activity(&self, day: i32) -> bool {
        self.activities.iter().any(|(d, _)| *d == day)
    }

    pub(crate) fn put_admission(&mut self, state: Admission) {
        self.admission = Some(Slot { state, changed: false });
    }

    pub(crate) fn put_book(&mut self, symbol: &str, state: Book) {
        self.books.push((symbol.into(), Slot { state, changed: false }));
    }

    pub(crate) fn put_activity(&mut self, day: i32, state: Activity) {
        self.activities.push((day, Slot { state, changed: false }));
    }

    fn memory_bytes(&self) -> usize {
        USER_OVERHEAD_BYTES
            + self.admission.as_ref().map_or(0, |slot| slot.state.memory_bytes())
            + self.books.iter().map(|(_, slot)| slot.state.memory_bytes()).sum::<usize>()
            + self.activities.iter().map(|(_, slot)| slot.state.memory_bytes()).sum::<usize>()
    }

    /// Rows that the store does not have: books and activities first, admission apart because it is written last.
    fn changed_rows(&mut self, user: &str, tables: &Tables, rows: &mut Vec<RowWrite>, last: &mut Vec<RowWrite>) {
        for (symbol, slot) in &mut self.books {
            if let Some(applied) = slot.state.applied().filter(|_| slot.changed) {
                let mut state = Vec::new();
                slot.state.encode(&mut state);
                let key = keys::book_key(user, symbol);
                rows.push(RowWrite { table: tables.book.clone(), key, applied, state });
            }
        }
        for (day, slot) in &mut self.activities {
            if let Some(applied) = slot.state.applied().filter(|_| slot.changed) {
                let mut state = Vec::new();
                slot.state.encode(&mut state);
                let key = keys::activity_key(user, *day);
                rows.push(RowWrite { table: tables.activity.clone(), key, applied, state });
            }
        }
        if let Some(slot) = &mut self.admission
            && let Some(applied) = slot.state.applied().filter(|_| slot.changed)
        {
            let mut state = Vec::new();
            slot.state.encode(&mut state);
            last.push(RowWrite { table: tables.admission.clone(), key: keys::admission_key(user), applied, state });
        }
    }

    fn written(&mut self) {
        self.listed = false;
        self.books.iter_mut().for_each(|(_, slot)| slot.changed = false);
        self.activities.iter_mut().for_each(|(_, slot)| slot.changed = false);
        // Days come and go: only the latest ones seen are worth holding.
        self.activities.drain(..self.activities.len().saturating_sub(HELD_DAYS));
        if let Some(slot) = &mut self.admission {
            slot.changed = false;
        }
    }
}

/// The fold asks for states by name; all of them were put here before.
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
        let slot = slot_of(&mut self.activities, |d| *d == day, || day);
        slot.changed = true;
        &mut slot.state
    }
}

fn slot_of<K, T: Default>(
    slots: &mut Vec<(K, Slot<T>)>,
    is_it: impl Fn(&K) -> bool,
    key: impl FnOnce() -> K,
) -> &mut Slot<T> {
    let index = slots.iter().position(|(key, _)| is_it(key)).unwrap_or(slots.len());
    if index == slots.len() {
        slots.push((key(), Slot::default()));
    }
    #[allow(clippy::indexing_slicing)] // found or pushed just above
    &mut slots[index].1
}

/// Names of the tables that are written.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) admission: TableName,
    pub(crate) book: TableName,
    pub(crate) activity: TableName,
}

impl Tables {
    pub(crate) fn of(generations: &GenerationSet) -> Self {
        Self {
            admission: TableName(generations.admission_table().into()),
            book: TableName(generations.book_table().into()),
            activity: TableName(generations.activity_table().into()),
        }
    }

    pub(crate) fn all(&self) -> [&TableName; 3] {
        [&self.admission, &self.book, &self.activity]
    }
}

/// All users held, least recently used first out.
pub(crate) struct HeldStates {
    users: LruMap<String, UserStates, Unlimited>,
    bytes: usize,
    limit_bytes: usize,
}

impl HeldStates {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { users: LruMap::new(Unlimited), bytes: 0, limit_bytes }
    }

    /// The states of a user, none at first.
    pub(crate) fn user(&mut self, user: &str) -> Option<&mut UserStates> {
        if self.users.peek(user).is_none() {
            self.users.insert(user.into(), UserStates::default());
        }
        self.users.get(user)
    }

    /// Counts a user's memory anew after its states changed.
    pub(crate) fn recount(&mut self, user: &str) {
        if let Some(states) = self.users.peek_mut(user) {
            let bytes = states.memory_bytes();
            self.bytes = self.bytes - states.counted_bytes + bytes;
            states.counted_bytes = bytes;
        }
    }

    pub(crate) fn is_over_limit(&self) -> bool {
        self.bytes > self.limit_bytes
    }

    /// Forgets least recently used users whose states are all written, until the rest fits.
    pub(crate) fn shrink(&mut self) {
        while self.is_over_limit() {
            match self.users.peek_oldest() {
                Some((_, states)) if !states.listed => {
                    if let Some((_, states)) = self.users.pop_oldest() {
                        self.bytes -= states.counted_bytes;
                    }
                }
                _ => return,
            }
        }
    }

    /// The changed rows of some users in the order in which they have to be written.
    pub(crate) fn changed_rows(&mut self, users: &[Box<str>], tables: &Tables) -> Vec<RowWrite> {
        let (mut rows, mut admissions) = (Vec::new(), Vec::new());
        for user in users {
            if let Some(states) = self.users.peek_mut(user.as_ref()) {
                states.changed_rows(user, tables, &mut rows, &mut admissions);
            }
        }
        rows.append(&mut admissions);
        rows
    }

    pub(crate) fn written(&mut self, users: &[Box<str>]) {
        for user in users {
            if let Some(states) = self.users.peek_mut(user.as_ref()) {
                states.written();
            }
        }
    }
}
