//! JSON bodies of signals and trades: validation, and the typed events made of them.

pub mod invalid;

pub use invalid::{FieldError, Invalid};
