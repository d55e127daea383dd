//! The states that a projector thread holds, by user, in order of last use, within a bound of memory.

mod user;

use std::sync::Arc;

use hindcast_views::RowWrite;
use schnellru::{LruMap, Unlimited};

use crate::tables::Tables;

pub(crate) use user::UserStates;

/// A user's name as it is looked up.
#[derive(Hash)]
struct Named<'a>(&'a str);

impl PartialEq<Arc<str>> for Named<'_> {
    fn eq(&self, name: &Arc<str>) -> bool {
        *self.0 == **name
    }
}

/// All users held.
pub(crate) struct HeldStates {
    users: LruMap<Arc<str>, UserStates, Unlimited>,
    bytes: usize,
    changed_bytes: usize,
    limit_bytes: usize,
}

impl HeldStates {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { users: LruMap::new(Unlimited), bytes: 0, changed_bytes: 0, limit_bytes }
    }

    /// The states of a user, if any are held.
    pub(crate) fn get(&mut self, user: &str) -> Option<&mut UserStates> {
        self.users.get(&Named(user))
    }

    /// The states of a user, none at first.
    pub(crate) fn get_or_begin(&mut self, user: &str) -> Option<&mut UserStates> {
        if self.users.peek(&Named(user)).is_none() {
            let name: Arc<str> = user.into();
            self.users.insert(Arc::clone(&name), UserStates::new(name));
        }
        self.users.get(&Named(user))
    }

    /// Counts the memory of users anew whose states changed.
    pub(crate) fn recount(&mut self, touched: &mut Vec<Arc<str>>) {
        for user in touched.drain(..) {
            if let Some(states) = self.users.peek_mut(&Named(&user)) {
                states.touched = false;
                recount(states, &mut self.bytes, &mut self.changed_bytes);
            }
        }
    }

    pub(crate) fn is_over_limit(&self) -> bool {
        self.bytes > self.limit_bytes
    }

    /// Whether so much was changed that it has to be written early: what is changed can't be forgotten, and leaves
    /// half the room for others. Rows are encoded and handed over as a whole; they take about a third of their states.
    pub(crate) fn is_much_changed(&self) -> bool {
        self.changed_bytes > self.limit_bytes / 2
    }

    /// Forgets least recently used users whose states the store has, until the rest fits.
    pub(crate) fn shrink(&mut self) {
        while self.is_over_limit() {
            match self.users.peek_oldest() {
                Some((_, states)) if !states.changed => {
                    if let Some((_, states)) = self.users.pop_oldest() {
                        self.bytes -= states.counted_bytes;
                    }
                }
                _ => return,
            }
        }
    }

    /// Forgets users, also what was not written of them.
    pub(crate) fn forget(&mut self, is_forgotten: impl Fn(&str) -> bool) {
        let forgotten: Vec<Arc<str>> =
            self.users.iter().map(|(name, _)| name).filter(|name| is_forgotten(name)).cloned().collect();
        for name in forgotten {
            if let Some(states) = self.users.remove(&Named(&name)) {
                self.bytes -= states.counted_bytes;
                self.changed_bytes -= states.counted_changed_bytes;
            }
        }
    }

    /// Forgets everything, also what was not written.
    pub(crate) fn forget_all(&mut self) {
        self.users.clear();
        self.bytes = 0;
        self.changed_bytes = 0;
    }

    /// The changed rows of some users in the order in which they have to be written.
    pub(crate) fn changed_rows(&mut self, users: &[Arc<str>], tables: &Tables) -> Vec<RowWrite> {
        let (mut rows, mut admissions) = (Vec::with_capacity(users.len() * 3), Vec::with_capacity(users.len()));
        for user in users {
            if let Some(states) = self.users.peek_mut(&Named(user)) {
                states.changed_rows(tables, &mut rows, &mut admissions);
            }
        }
        rows.append(&mut admissions);
        rows
    }

    pub(crate) fn written(&mut self, users: &mut Vec<Arc<str>>) {
        for user in users.drain(..) {
            if let Some(states) = self.users.peek_mut(&Named(&user)) {
                states.written();
                recount(states, &mut self.bytes, &mut self.changed_bytes);
            }
        }
    }
}

fn recount(states: &mut UserStates, bytes: &mut usize, changed_bytes: &mut usize) {
    let now = states.memory_bytes();
    let now_changed = if states.changed { now } else { 0 };
    *bytes = *bytes - states.counted_bytes + now;
    *changed_bytes = *changed_bytes - states.counted_changed_bytes + now_changed;
    (states.counted_bytes, states.counted_changed_bytes) = (now, now_changed);
}

#[cfg(test)]
mod tests;
