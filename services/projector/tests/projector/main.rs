//! The projector under everything that may happen to it. In the end every table is what the journal folds into from
//! scratch, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::needless_pass_by_value)] // small numbers of tests

mod builds;
mod crashes;
mod dead_letters;
mod following;
mod owners;
mod refusals;
mod stream;
mod unavailable;
mod world;
