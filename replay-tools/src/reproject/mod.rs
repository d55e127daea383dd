//! Compares a set of generations with the one that is read, before anyone is answered from it.
//!
//! | function | says |
//! |---|---|
//! | [`compare_rows`] | whether rows mean the same where both know the same prefix of the journal |
//! | [`effect_on_answers`] | what the latest decisions would have been |
//! | [`other_verdicts`] | which records one admission uses and the other does not |

mod effect;
mod page;
mod rows;
mod verdicts;
mod verification;

pub use effect::{Change, Effect, effect_on_answers};
pub use rows::{Patience, RowDifference, RowsOfProjection, compare_rows};
pub use verdicts::{OtherVerdict, Verdicts, other_verdicts};
pub use verification::{Tolerance, Verification};
