//! The routes of ingress on logs and views in memory, asked without a network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test that can't go on fails

mod app;
mod bad_input;
mod batches;
mod bots;
mod document;
mod duplicates;
mod failures;
mod single;
mod voids;
