//! The roles as processes of their own, on Apache Kafka, Cassandra (in ScyllaDB's place) and a schema registry, while
//! parts of it die. Afterwards every acknowledged event is in the journal and counted once, the rows equal a fold from
//! scratch, and every decision derives again bit for bit.
//!
//! `HINDCAST_SEED` repeats a run's choices, `HINDCAST_FAULT_ROUNDS` changes how often each fault happens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)] // a test

mod admins;
mod demo;
mod generations;
mod load;
mod outages;
mod processes;
mod registry;
mod same_bytes;
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod system;
mod versions;
