//! What rows of two sets of generations have in common, so that one can be checked against the other.
//!
//! Rows are compared at the same `applied`: both know the same prefix of the journal. Where fold versions and parameters
//! are equal, of the projection and of its admission, the bytes are; else this is what has to agree:
//!
//! | projection | differs in | compared | not compared |
//! |---|---|---|---|
//! | any | the admission | nothing but the row's being there | all else: another verdict changes anything |
//! | book | `ring_trades` | counts and sums; trades and waiting signals as far as both rings hold them | a trade voided outside one ring only leaves other signals waiting: then counts and sums alone |
//! | book | `waiting_signals` | counts and sums, the trades but for their signals | what joined, what waits, what was dropped |
//! | book | the fold's version, `features` | all that both keep | features that one of them does not keep |
//! | book | the fold's version, `regimes` | all else | the regimes |
//!
//! One difference is found that is none of meaning: where rings differ and a book has ever held more than
//! [`MAX_STRATEGIES`](crate::book::MAX_STRATEGIES) strategies at a time, the longer ring runs out of names first, and
//! trades of the strategies without a name join nothing by price.

use std::fmt::Debug;

use crate::{
    activity::Activity,
    admission::Admission,
    book::{Book, ClosedTrade, FeatureSet, Totals},
    encoding::RowError,
    generation::{BookParams, GenerationSet},
};

/// A projection that has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Projection {
    /// By user.
    Admission,
    /// By user and symbol.
    Book,
    /// By user and day.
    Activity,
}

/// The first thing in which two rows differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub field: String,
    /// In the row of the first set.
    pub old: String,
    /// In the row of the second set.
    pub new: String,
}

/// What of two sets can be compared.
#[derive(Debug, Clone, Copy)]
pub struct Comparability {
    same_admission: bool,
    same_book: bool,
    same_ring: bool,
    same_waiting: bool,
    /// What both keep of a signal.
    features: FeatureSet,
    same_features: bool,
    same_regimes: bool,
    same_activity: bool,
}

impl Projection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Book, Self::Activity, Self::Admission];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Book => "book",
            Self::Activity => "activity",
        }
    }
}

impl Comparability {
    /// Of two sets.
    #[must_use]
    pub fn of(old: &GenerationSet, new: &GenerationSet) -> Self {
        let same_admission = old.admission == new.admission;
        let features = |params: &BookParams| params.features.unwrap_or(FeatureSet::FIRST);
        let (old_features, new_features) = (features(&old.book.params), features(&new.book.params));
        Self {
            same_admission,
            same_book: same_admission && old.book == new.book,
            same_ring: old.book.params.ring_trades == new.book.params.ring_trades,
            same_waiting: old.book.params.waiting_signals == new.book.params.waiting_signals,
            features: old_features.and(new_features),
            same_features: old_features == new_features,
            same_regimes: old.book.params.regimes == new.book.params.regimes,
            same_activity: same_admission && old.activity == new.activity,
        }
    }

    /// What is not compared of a projection, for people; empty if all is.
    #[must_use]
    pub fn not_compared(self, projection: Projection) -> Vec<&'static str> {
        let mut left_out = Vec::new();
        match projection {
            _ if !self.same_admission => left_out.push("all values: what is a duplicate differs"),
            Projection::Book if !self.same_book => {
                if !self.same_ring {
                    left_out.push("trades and voids beyond the shorter ring");
                    left_out.push("trades and waiting signals of books with a void beyond the shorter ring");
                }
                if !self.same_waiting {
                    left_out.push("which signal a trade joined, what waits, what was dropped");
                }
                if !self.same_features {
                    left_out.push("features that one of them does not keep");
                }
                if !self.same_regimes {
                    left_out.push("regimes");
                }
            }
            _ => {}
        }
        left_out
    }

    /// The first difference of two rows with the same `applied`.
    ///
    /// # Errors
    /// When one of them is no row of the projection.
    pub fn difference(
        self,
        projection: Projection,
        old_row: &[u8],
        new_row: &[u8],
    ) -> Result<Option<Difference>, RowError> {
        match projection {
            Projection::Admission => {
                let (old, new) = (Admission::decode(old_row)?, Admission::decode(new_row)?);
                Ok(of_bytes(self.same_admission, old_row, new_row, || differs("admission", &old, &new)))
            }
            Projection::Activity => {
                let (old, new) = (Activity::decode(old_row)?, Activity::decode(new_row)?);
                Ok(of_bytes(self.same_activity, old_row, new_row, || differs("activity", &old, &new)))
            }
            Projection::Book => {
                let (old, new) = (Book::decode(old_row)?, Book::decode(new_row)?);
                if self.same_book {
                    return Ok(of_bytes(true, old_row, new_row, || {
                        self.of_books(&old, &new).or_else(|| differs("book", &old, &new))
                    }));
                }
                Ok(self.of_books(&old, &new).filter(|_| self.same_admission))
            }
        }
    }

    fn of_books(self, old: &Book, new: &Book) -> Option<Difference> {
        let counts = [
            differs("signals", &old.signals, &new.signals),
            of_totals("taken", &old.taken, &new.taken),
            of_totals("simulated", &old.simulated, &new.simulated),
            differs("voided", &old.voided, &new.voided),
        ];
        if let Some(difference) = counts.into_iter().flatten().next() {
            return Some(difference);
        }
        if !self.same_ring && old.voided_outside_ring != new.voided_outside_ring {
            return None;
        }
        let common = old.ring.len().min(new.ring.len());
        let longest = old.ring.len().max(new.ring.len());
        if self.same_ring && common != longest {
            return differs("ring.trades", &old.ring.len(), &new.ring.len());
        }
        for (age, (one, other)) in old.ring.iter().rev().zip(new.ring.iter().rev()).enumerate() {
            if let Some(difference) = self.of_trades(age, one, other) {
                return Some(difference);
            }
        }
        if !self.same_waiting {
            return None;
        }
        let waiting = [
            differs("joined", &old.joined, &new.joined),
            differs("signals_dropped", &old.signals_dropped, &new.signals_dropped),
            differs(
                "waiting",
                &old.waiting.iter().map(|signal| signal.event_id).collect::<Vec<_>>(),
                &new.waiting.iter().map(|signal| signal.event_id).collect::<Vec<_>>(),
            ),
        ];
        let regimes = differs("regimes", &old.regimes, &new.regimes).filter(|_| self.same_regimes);
        waiting.into_iter().flatten().next().or(regimes)
    }

    /// `age` is 0 for the newest.
    fn of_trades(self, age: usize, old: &ClosedTrade, new: &ClosedTrade) -> Option<Difference> {
        let field = |name: &str| format!("ring[-{}].{name}", age + 1);
        let own = [
            differs(&field("event_id"), &old.event_id, &new.event_id),
            differs(&field("position"), &old.position, &new.position),
            differs(&field("occurred_at"), &old.occurred_at, &new.occurred_at),
            differs(&field("entry_price_e9"), &old.entry_price_e9, &new.entry_price_e9),
            differs(&field("pnl_e9"), &old.pnl_e9, &new.pnl_e9),
            differs(&field("simulated"), &old.simulated, &new.simulated),
        ];
        let own = own.into_iter().flatten().next();
        if own.is_some() || !self.same_waiting {
            return own;
        }
        let signal = |trade: &ClosedTrade| trade.signal.map(|signal| (signal.event_id, signal.joined_by));
        let joined = [
            differs(&field("signal"), &signal(old), &signal(new)),
            differs(&field("features"), &self.features.of(old.features.get()), &self.features.of(new.features.get())),
            differs(&field("missed_decision"), &old.missed_decision, &new.missed_decision),
            differs(&field("missed_signal"), &old.missed_signal, &new.missed_signal),
        ];
        joined.into_iter().flatten().next()
    }
}

fn of_bytes(
    comparable: bool,
    old_row: &[u8],
    new_row: &[u8],
    find: impl FnOnce() -> Option<Difference>,
) -> Option<Difference> {
    if !comparable || old_row == new_row {
        return None;
    }
    // Rows that mean the same in other bytes: an encoding that is not canonical any more.
    find().or_else(|| differs("bytes", &old_row.len(), &new_row.len())).or_else(|| {
        let same = old_row.iter().zip(new_row).take_while(|(a, b)| a == b).count();
        Some(Difference { field: format!("byte {same}"), old: String::new(), new: String::new() })
    })
}

fn of_totals(name: &str, old: &Totals, new: &Totals) -> Option<Difference> {
    differs(&format!("{name}.trades"), &old.trades, &new.trades)
        .or_else(|| differs(&format!("{name}.wins"), &old.wins, &new.wins))
        .or_else(|| differs(&format!("{name}.pnl_e9"), &old.pnl_e9, &new.pnl_e9))
}

fn differs<T: PartialEq + Debug>(field: &str, old: &T, new: &T) -> Option<Difference> {
    (old != new).then(|| Difference { field: field.to_owned(), old: format!("{old:?}"), new: format!("{new:?}") })
}
