//! A small service put together from the kit, asked over real connections with requests written byte by byte.
#![allow(unreachable_pub)] // a test is a crate of its own
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test that can't go on fails

mod bodies;
mod connections;
mod credentials;
mod edge;
mod limits;
mod service;
mod tokens;
