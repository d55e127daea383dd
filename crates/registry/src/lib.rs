//! Schemas and their ids from a registry with Confluent's API, and from control.
//!
//! Subjects are named by their records (Confluent's `RecordNameStrategy`), because a topic holds several kinds of events. A
//! consumer with any Avro client and the registry's URL reads the topics: it takes the id from a record and asks for the
//! schema.
//!
//! ```text
//! Codec -> Recorded -> control          every id that was ever used, and its schema
//!                  \-> ConfluentRegistry   ids for new schemas, schemas of ids that others brought
//! ```
//! The registry is needed once for each new schema. What it gave is recorded in control before it is used, and control is
//! asked first from then on: logs stay readable, and can be written on, with the registry down or its database lost.

mod config;
mod confluent;
mod http;
mod known;
mod recorded;

pub use config::RegistryConfig;
pub use confluent::{ConfluentRegistry, OpenError};
pub use known::{register_known, used_schemas};
pub use recorded::Recorded;
