//! What the replay tools say of histories whose answer is known.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that can't go on fails

mod walk_forward;
