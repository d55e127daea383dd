//! Projections as pure folds: admission, book and activity, with their row encodings.
//!
//! A fold is total: `(state, input at position) -> state`, no clock, no randomness, no I/O, no failure. One pipeline
//! ([`pipeline::fold_record`]) is used by the live projector, by a rebuild and by offline replay.

pub mod activity;
pub mod admission;
pub mod book;
pub mod comparison;
mod counts;
pub mod encoding;
pub mod generation;
pub mod keys;
pub mod pipeline;
mod soundness;
