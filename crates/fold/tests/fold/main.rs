//! What the folds promise: scenarios, properties, golden rows, and real history.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests

mod activity;
mod admission;
mod book;
mod events;
mod golden;
mod histories;
mod owners;
mod real_history;
mod regimes;
mod rows;
mod voids;
mod world;
