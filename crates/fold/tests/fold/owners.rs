//! Any split into batches, any crash between two writes, any owner that was left behind: the rows are those of one
//! fold of the whole journal.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::Position;
use hindcast_fold::{
    activity::Activity,
    admission::Admission,
    book::{Book, BookRules},
    generation::AdmissionParams,
    keys,
    pipeline::{FoldParams, Folded, Input, States, fold_record},
};
use proptest::prelude::*;

use crate::{
    histories::{records, steps},
    world::{Memory, RowKey, bytes, second_fold},
};

type Record = (String, Input<'static>, Position);

/// What survives a crash. Rows never go back; progress is whatever was written last, by whomever.
#[derive(Default)]
struct Store {
    rows: BTreeMap<RowKey, (Position, Vec<u8>)>,
    progress: usize,
}

impl Store {
    fn write(&mut self, key: RowKey, applied: Position, state: Vec<u8>) {
        match self.rows.get(&key) {
            Some((stored, _)) if stored.order() > applied.order() => {}
            Some((stored, bytes)) if stored.order() == applied.order() => {
                assert_eq!(*bytes, state, "two owners disagree about {key:?} at {applied}");
            }
            _ => drop(self.rows.insert(key, (applied, state))),
        }
    }

    fn read<T: Default>(&self, key: &RowKey, decode: impl Fn(&[u8]) -> T) -> T {
        self.rows.get(key).map(|(_, state)| decode(state)).unwrap_or_default()
    }
}

/// A projector: states of the users it has met, read from the store when first asked for.
#[derive(Default)]
struct Owner {
    memory: Memory,
    changed: BTreeSet<(&'static str, Vec<u8>)>,
    next: usize,
}

/// The states as the fold sees them: all that the record can need was loaded before.
struct Held<'a>(&'a mut Owner);

impl States for Held<'_> {
    fn admission(&mut self, user: &str) -> &mut Admission {
        self.0.changed.insert(("admission", keys::admission_key(user)));
        self.0.memory.admissions.get_mut(user).expect("loaded")
    }
    fn book(&mut self, user: &str, symbol: &str) -> &mut Book {
        self.0.changed.insert(("book", keys::book_key(user, symbol)));
        self.0.memory.books.get_mut(&(user.to_owned(), symbol.to_owned())).expect("loaded")
    }
    fn activity(&mut self, user: &str, day: i32) -> &mut Activity {
        self.0.changed.insert(("activity", keys::activity_key(user, day)));
        self.0.memory.activities.get_mut(&(user.to_owned(), day)).expect("loaded")
    }
}

impl Owner {
    fn starting(store: &Store) -> Self {
        Self { next: store.progress, ..Self::default() }
    }

    fn fold(&mut self, store: &Store, params: &FoldParams, journal: &[Record], records: usize) {
        for (user, input, position) in journal.iter().skip(self.next).take(records) {
            self.load(store, user, input);
            fold_record(&mut Held(self), params, user, input, *position);
            self.next += 1;
        }
    }

    /// The admission first: no book or activity may be older.
    fn load(&mut self, store: &Store, user: &str, input: &Input<'_>) {
        self.memory.admissions.entry(user.to_owned()).or_insert_with(|| {
            store.read(&("admission", keys::admission_key(user)), |row| Admission::decode(row).expect("a row"))
        });
        if let (Some(symbol), Some(day)) = (input.symbol(), input.day()) {
            self.memory.books.entry((user.to_owned(), symbol.to_owned())).or_insert_with(|| {
                store.read(&("book", keys::book_key(user, symbol)), |row| Book::decode(row).expect("a row"))
            });
            self.memory.activities.entry((user.to_owned(), day)).or_insert_with(|| {
                store.read(&("activity", keys::activity_key(user, day)), |row| Activity::decode(row).expect("a row"))
            });
        }
    }

    /// Writes what has changed in the order of writing; a crash comes after some of the writes. Whether it survived.
    fn write(&mut self, store: &mut Store, crash_after: Option<usize>) -> bool {
        let rows = self.memory.states();
        let is_admission = |key: &&RowKey| key.0 == "admission";
        let first = self.changed.iter().filter(|key| !is_admission(key));
        let ordered: Vec<_> = first.chain(self.changed.iter().filter(is_admission)).collect();
        for (written, key) in ordered.iter().enumerate() {
            if crash_after == Some(written) {
                return false;
            }
            if let Some((Some(applied), state)) = rows.get(*key) {
                store.write((*key).clone(), *applied, state.clone());
            }
        }
        if crash_after.is_some() {
            return false;
        }
        store.progress = self.next;
        self.changed.clear();
        true
    }

    /// Forgets a user whose states are all written.
    fn forget(&mut self, user: &str) {
        if self.changed.is_empty() {
            self.memory.admissions.remove(user);
            self.memory.books.retain(|(of, _), _| of != user);
            self.memory.activities.retain(|(of, _), _| of != user);
        }
    }
}

impl Memory {
    /// Like [`Memory::rows`], but with states to which nothing was ever routed.
    fn states(&self) -> BTreeMap<RowKey, (Option<Position>, Vec<u8>)> {
        let admissions = self.admissions.iter().map(|(user, state)| {
            (("admission", keys::admission_key(user)), (state.applied(), bytes(|into| state.encode(into))))
        });
        let books = self.books.iter().map(|((user, symbol), state)| {
            (("book", keys::book_key(user, symbol)), (state.applied(), bytes(|into| state.encode(into))))
        });
        let activities = self.activities.iter().map(|((user, day), state)| {
            (("activity", keys::activity_key(user, *day)), (state.applied(), bytes(|into| state.encode(into))))
        });
        admissions.chain(books).chain(activities).collect()
    }
}

#[derive(Debug, Clone)]
enum Move {
    Fold(usize),
    Write,
    CrashWriting(usize),
    Forget(u8),
}

fn moves() -> impl Strategy<Value = Vec<(bool, Move)>> {
    let a_move = prop_oneof![
        4 => (1..12_usize).prop_map(Move::Fold),
        2 => Just(Move::Write),
        2 => (0..8_usize).prop_map(Move::CrashWriting),
        1 => (0..3_u8).prop_map(Move::Forget),
    ];
    prop::collection::vec((any::<bool>(), a_move), 0..40)
}

/// Bounds so narrow that histories run into all of them, or the usual ones.
fn params() -> impl Strategy<Value = FoldParams> {
    let narrow = (1..8_u32, 1..5_u32, 1..4_u32, any::<bool>());
    let narrow = narrow.prop_map(|(window_ids, ring_trades, waiting_signals, is_second)| FoldParams {
        admission: AdmissionParams { window_ids },
        book: if is_second {
            second_fold(ring_trades, waiting_signals).book
        } else {
            BookRules::first(ring_trades, waiting_signals)
        },
        ..FoldParams::default()
    });
    prop_oneof![2 => narrow, 1 => Just(FoldParams::default())]
}

fn folded_at_once(journal: &[Record], params: &FoldParams) -> Memory {
    let mut memory = Memory::default();
    for (user, input, position) in journal {
        fold_record(&mut memory, params, user, input, *position);
    }
    memory
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn batches_crashes_and_owners_left_behind_change_no_byte(
        history in steps(80),
        params in params(),
        moves in moves(),
    ) {
        let journal = records(&history);
        let mut store = Store::default();
        let mut owners = [Owner::default(), Owner::default()];
        for (which, a_move) in moves {
            let owner = &mut owners[usize::from(which)];
            match a_move {
                Move::Fold(records) => owner.fold(&store, &params, &journal, records),
                Move::Write => drop(owner.write(&mut store, None)),
                Move::CrashWriting(after) => {
                    if !owner.write(&mut store, Some(after)) {
                        *owner = Owner::starting(&store);
                    }
                }
                Move::Forget(user) => owner.forget(&format!("trader-{user}")),
            }
        }
        let mut last = Owner::starting(&store);
        last.fold(&store, &params, &journal, journal.len());
        last.write(&mut store, None);
        prop_assert_eq!(store.rows, folded_at_once(&journal, &params).rows());
    }

    #[test]
    fn folding_again_changes_nothing(history in steps(60), params in params(), from in any::<prop::sample::Index>()) {
        let journal = records(&history);
        let mut memory = folded_at_once(&journal, &params);
        let once = memory.clone();
        for (user, input, position) in journal.iter().skip(from.index(history.len())) {
            prop_assert_eq!(fold_record(&mut memory, &params, user, input, *position), Folded::Skipped);
        }
        prop_assert_eq!(memory, once);
    }

    /// Each user's rows are those that there would be without the others.
    #[test]
    fn users_do_not_see_each_other(history in steps(60), params in params()) {
        let journal = records(&history);
        let together = folded_at_once(&journal, &params);
        let users: BTreeSet<_> = journal.iter().map(|(user, ..)| user.clone()).collect();
        let mut apart = BTreeMap::new();
        for user in users {
            let own: Vec<_> = journal.iter().filter(|(of, ..)| *of == user).cloned().collect();
            apart.extend(folded_at_once(&own, &params).rows());
        }
        prop_assert_eq!(together.rows(), apart);
    }
}
