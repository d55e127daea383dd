//! The states of one user, in memory, made by nothing but the fold.

use std::collections::BTreeMap;

use hindcast_fold::{activity::Activity, admission::Admission, book::Book, pipeline::States};

/// The states of one user.
#[derive(Debug, Default)]
pub(crate) struct UserStates {
    pub(crate) admission: Admission,
    pub(crate) books: BTreeMap<Box<str>, Book>,
    pub(crate) activities: BTreeMap<i32, Activity>,
}

impl States for UserStates {
    fn admission(&mut self, _user: &str) -> &mut Admission {
        &mut self.admission
    }

    fn book(&mut self, _user: &str, symbol: &str) -> &mut Book {
        entry(&mut self.books, symbol)
    }

    fn activity(&mut self, _user: &str, day: i32) -> &mut Activity {
        self.activities.entry(day).or_default()
    }
}

/// The value of a key, made when it is new. Only then is the key copied.
pub(crate) fn entry<'m, T: Default>(map: &'m mut BTreeMap<Box<str>, T>, key: &str) -> &'m mut T {
    if !map.contains_key(key) {
        map.insert(key.into(), T::default());
    }
    map.entry(key.into()).or_default()
}
