//! The log on Kafka, against a running one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod broken;
mod contract;
mod following;
mod group;
mod opening;
mod removing;
#[cfg(feature = "kafka-tls")]
mod secured;
mod support;
