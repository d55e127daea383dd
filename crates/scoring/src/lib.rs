//! Models as pure functions of features and a book, and policies that turn a confidence into an action.
//!
//! Everything here is deterministic across machines: `f64` in a fixed order, logarithms and angles by `libm`,
//! no clock, no randomness but what the decision's id seeds. `docs/model.md` has the formulas and their sources.

mod beta;
mod canonical;
mod exponential;
pub mod kernel;
pub mod model;
pub mod policy;
pub mod published;

pub use model::{Model, Prepared, Score};
pub use policy::{Choice, Policy};
pub use published::{InvalidSetting, PublishedModel, PublishedPolicy};
