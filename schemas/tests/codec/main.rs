//! The codec against golden bytes, against an independent implementation of Avro, and against bad data.

// Clippy knows a test by its attribute and not the helpers around it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod avro;
mod evolution;
mod golden;
mod properties;
mod registries;
mod robustness;
mod samples;
mod strategies;
