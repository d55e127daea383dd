//! Another set of generations from plan to drop while clients go on: no request fails, nothing is missing in either set,
//! whatever is killed meanwhile, and every decision derives again from the set that it names.
//!
//! `HINDCAST_SEED` repeats a run's choices; `HINDCAST_REPROJECT_USERS`, `HINDCAST_REPROJECT_ROUNDS` and
//! `HINDCAST_SWITCHES` change how many there are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod clients;
mod kills;
#[cfg(feature = "mistaken-fold")]
mod mistaken;
mod runbook;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod switches;
