//! From rows to states.

use std::{collections::BTreeSet, sync::Arc};

use hindcast_domain::Symbol;
use hindcast_facts::{Journaled, read_journaled};
use hindcast_fold::{activity::Activity, admission::Admission, book::Book, keys};
use hindcast_journal::Record;
use hindcast_views::{TableName, ViewStore};

use crate::{
    error::{Hindrance, ProjectorError},
    states::UserStates,
    worker::Worker,
};

/// Records looked at together: the store is asked once for all that they need.
const AHEAD_RECORDS: usize = 256;

impl Worker {
    /// Reads the states that the next records need and that are not held. Gives the records that were read for that, so
    /// that none is decoded twice.
    pub(crate) async fn load_ahead<'r>(&mut self, records: &'r [Record]) -> Result<Vec<Journaled<'r>>, Hindrance> {
        let ahead: Vec<Journaled<'r>> = records
            .iter()
            .take(AHEAD_RECORDS)
            // Folding stops at one that can't be read, and tells why.
            .map_while(|record| read_journaled(&self.ports.codec, record).ok())
            .collect();
        let (mut admissions, mut books, mut activities) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for journaled in &ahead {
            let Journaled::Fact { user, input } = journaled else { continue };
            let held = self.states.get(user);
            if held.as_ref().is_none_or(|states| !states.has_admission()) {
                admissions.insert(*user);
            }
            let lacks_book = |symbol: &&str| held.as_ref().is_none_or(|states| states.lacks_book(symbol));
            books.extend(input.symbol().filter(lacks_book).map(|symbol| (*user, symbol)));
            let lacks_activity = |day: &i32| held.as_ref().is_none_or(|states| states.lacks_activity(*day));
            activities.extend(input.day().filter(lacks_activity).map(|day| (*user, day)));
        }
        // No symbol that can't be one has a row, and some are too long for a key.
        books.retain(|(_, symbol)| Symbol::is_valid(symbol));

        // Admissions first: no book and no activity may be older than the admission that is held with it.
        let (views, tables) = (&self.ports.views, &self.tables);
        let admissions =
            load(views, &tables.admission, admissions, |user| keys::admission_key(user), Admission::decode).await?;
        let key = |(user, symbol): &(&str, &str)| keys::book_key(user, symbol);
        let books = load(views, &tables.book, books, key, Book::decode).await?;
        let key = |(user, day): &(&str, i32)| keys::activity_key(user, *day);
        let activities = load(views, &tables.activity, activities, key, Activity::decode).await?;

        for (user, state) in admissions {
            self.put(user, |states| states.put_admission(state));
        }
        for ((user, symbol), state) in books {
            self.put(user, |states| states.put_book(symbol, state));
        }
        for ((user, day), state) in activities {
            self.put(user, |states| states.put_activity(day, state));
        }
        self.states.recount(&mut self.touched);
        Ok(ahead)
    }

    fn put(&mut self, user: &str, put: impl FnOnce(&mut UserStates)) {
        if let Some(states) = self.states.get_or_begin(user) {
            put(states);
            if !states.touched {
                states.touched = true;
                self.touched.push(Arc::clone(&states.name));
            }
        }
    }
}

/// Reads the rows of some keys; a key without a row has the state that everything begins with.
async fn load<K, T: Default, E: std::fmt::Display>(
    views: &Arc<dyn ViewStore>,
    table: &TableName,
    wanted: BTreeSet<K>,
    key: impl Fn(&K) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Vec<(K, T)>, Hindrance> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = views.read(table, wanted.iter().map(key).collect()).await?;
    wanted
        .into_iter()
        .zip(rows)
        .map(|(key, row)| match row.map(|row| decode(&row.state)) {
            None => Ok((key, T::default())),
            Some(Ok(state)) => Ok((key, state)),
            Some(Err(error)) => {
                let (table, detail) = (table.0.to_string(), error.to_string());
                Err(Hindrance::ForGood(ProjectorError::DamagedRow { table, detail }))
            }
        })
        .collect()
}
