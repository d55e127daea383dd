//! All states in memory, and a way to write scenarios: given what was told, when something is told, then.

use std::collections::{BTreeMap, HashMap};

use hindcast_domain::Position;
use hindcast_fold::{
    activity::Activity,
    admission::{Admission, Verdict},
    book::Book,
    generation::GenerationSet,
    keys,
    pipeline::{FoldParams, Folded, Input, States, fold_record},
};
use hindcast_schemas::{Event, events::TradeClosed};

use crate::events::{IntoEvent, SYMBOL, TODAY, USER, at, id, void_of};

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Memory {
    pub(crate) admissions: BTreeMap<String, Admission>,
    pub(crate) books: BTreeMap<(String, String), Book>,
    pub(crate) activities: BTreeMap<(String, i32), Activity>,
}

impl States for Memory {
    fn admission(&mut self, user: &str) -> &mut Admission {
        self.admissions.entry(user.to_owned()).or_default()
    }
    fn book(&mut self, user: &str, symbol: &str) -> &mut Book {
        self.books.entry((user.to_owned(), symbol.to_owned())).or_default()
    }
    fn activity(&mut self, user: &str, day: i32) -> &mut Activity {
        self.activities.entry((user.to_owned(), day)).or_default()
    }
}

/// A projection's name and a row's key.
pub(crate) type RowKey = (&'static str, Vec<u8>);

impl Memory {
    /// All rows as bytes with their versions.
    pub(crate) fn rows(&self) -> BTreeMap<RowKey, (Position, Vec<u8>)> {
        let mut rows = BTreeMap::new();
        for (user, state) in &self.admissions {
            let row = (state.applied().unwrap(), bytes(|into| state.encode(into)));
            rows.insert(("admission", keys::admission_key(user)), row);
        }
        for ((user, symbol), state) in &self.books {
            let row = (state.applied().unwrap(), bytes(|into| state.encode(into)));
            rows.insert(("book", keys::book_key(user, symbol)), row);
        }
        for ((user, day), state) in &self.activities {
            let row = (state.applied().unwrap(), bytes(|into| state.encode(into)));
            rows.insert(("activity", keys::activity_key(user, *day)), row);
        }
        rows
    }
}

pub(crate) fn bytes(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut row = Vec::new();
    encode(&mut row);
    row
}

/// What one user's bot told, and what became of it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) memory: Memory,
    pub(crate) params: FoldParams,
    next_offset: u64,
    trades: HashMap<u128, (TradeClosed<'static>, Position)>,
    last: Option<Folded>,
}

/// Parameters of version 2 of the fold of books, all features kept and the regimes of a new plan.
pub(crate) fn second_fold(ring_trades: u32, waiting_signals: u32) -> FoldParams {
    let mut set = GenerationSet::default();
    set.book.fold_version = 2;
    set.book.complete();
    (set.book.params.ring_trades, set.book.params.waiting_signals) = (ring_trades, waiting_signals);
    set.fold_params().expect("parameters of version 2")
}

/// A world in which some things were told.
pub(crate) fn given<E: IntoEvent>(told: impl IntoIterator<Item = E>) -> World {
    told.into_iter().fold(World::default(), World::when)
}

/// A world in which nothing was told.
pub(crate) fn given_nothing() -> World {
    World::default()
}

impl World {
    pub(crate) fn with_params(params: FoldParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Something more is told.
    pub(crate) fn when(mut self, told: impl IntoEvent) -> Self {
        let event = told.event();
        let position = at(self.next_offset);
        if let Event::Trade(trade) = &event {
            self.trades.entry(trade.event_id.as_u128()).or_insert((trade.clone(), position));
        }
        let user = event.user_id().to_owned();
        self.when_read(&user, &Input::Event(event))
    }

    /// A record of a user's key is read.
    pub(crate) fn when_read(mut self, user: &str, input: &Input<'static>) -> Self {
        let position = at(self.next_offset);
        self.next_offset += 1;
        self.when_read_at(user, input, position)
    }

    /// A record is read at a place of its own.
    pub(crate) fn when_read_at(mut self, user: &str, input: &Input<'_>, position: Position) -> Self {
        self.last = Some(fold_record(&mut self.memory, &self.params, user, input, position));
        self
    }

    /// A trade that was told before is voided.
    pub(crate) fn when_voided(self, trade_number: u128) -> Self {
        let (trade, position) = self.trades.get(&trade_number).expect("the trade was told").clone();
        self.when(void_of(&trade, position))
    }

    /// What the admission said of the last record.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.last {
            Some(Folded::Applied(verdict)) => verdict,
            other => panic!("no verdict but {other:?}"),
        }
    }

    pub(crate) fn then(self, check: impl FnOnce(&Self)) -> Self {
        check(&self);
        self
    }

    pub(crate) fn book(&self) -> &Book {
        &self.memory.books[&(USER.to_owned(), SYMBOL.to_owned())]
    }

    pub(crate) fn admission(&self) -> &Admission {
        &self.memory.admissions[USER]
    }

    pub(crate) fn today(&self) -> &Activity {
        &self.memory.activities[&(USER.to_owned(), TODAY)]
    }

    /// Numbers of the signals that wait, oldest first.
    pub(crate) fn waiting(&self) -> Vec<u128> {
        self.book().waiting.iter().map(|signal| signal.event_id.as_u128()).collect()
    }

    /// Numbers of the trades in the ring and of the signals they joined, oldest first.
    pub(crate) fn joined(&self) -> Vec<(u128, Option<u128>)> {
        let number = |trade: &hindcast_fold::book::ClosedTrade| trade.signal.map(|signal| signal.event_id.as_u128());
        self.book().ring.iter().map(|trade| (trade.event_id.as_u128(), number(trade))).collect()
    }

    pub(crate) fn knows(&self, kind: hindcast_domain::EventKind, number: u128) -> bool {
        self.admission().find(kind, id(number)).is_some()
    }
}
