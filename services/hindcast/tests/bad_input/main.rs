//! Every kind of bad input is refused with a problem of its own, tells nothing of the inside, and stores nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod batches;
mod bodies;
mod cases;
mod credentials;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
