//! The Avro schemas of the events, their typed form and their codec.

pub mod events;

pub use events::*;
