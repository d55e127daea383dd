//! What the model and the policy promise, checked on books made by hand.
#![allow(clippy::unwrap_used)] // a test that can't go on fails

mod books;
mod golden;
mod kernel;
mod policy;
mod properties;
mod published;
