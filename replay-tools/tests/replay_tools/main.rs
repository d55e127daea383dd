//! What the replay tools say of histories whose answer is known.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test that can't go on fails

mod refold;
mod reproject;
mod verify_decisions;
mod walk_forward;
mod world;
