//! Reads history: folds a journal from scratch, derives decisions again, judges a model on what came after.
//!
//! Everything here works on ports and has no side effects: nothing is published, no one is answered, no view written.
//!
//! | function | says |
//! |---|---|
//! | [`walk_forward()`] | what confidence would have been worth on recorded signals and outcomes |
//! | [`refold()`], [`refold::Refolded::compare`] | the rows a journal folds into, and whether a view store has them |
//! | [`reproject`] | what another set of generations would change |
//! | [`verify_decisions()`] | whether every recorded decision derives again, bit for bit |

mod pass;
pub mod refold;
pub mod reproject;
mod states;
pub mod verify_decisions;
pub mod walk_forward;

pub use pass::{ReplayError, durable_ends};
pub use refold::{refold, refold_to};
pub use verify_decisions::verify_decisions;
pub use walk_forward::walk_forward;
