//! Kafka, Cassandra and a schema registry from packages, on 127.0.0.1 alone: started, stopped, killed and paused, one
//! node at a time.
//!
//! `cargo xtask services` is the command line of this crate. Tests use it to have services of their own, whose nodes
//! they kill:
//!
//! ```no_run
//! use hindcast_test_services::{KafkaSetup, Temporary};
//!
//! let mut kafka = Temporary::kafka(3)?; // three brokers, free ports, a folder of their own
//! println!("bootstrap.servers={}", kafka.addresses());
//! kafka.node("kafka-2")?.kill()?; // SIGKILL
//! kafka.node("kafka-2")?.start()?; // the same data, the same ports
//! # let _ = KafkaSetup::ports(3);
//! # Ok::<(), hindcast_test_services::Error>(())
//! ```
//!
//! Services that tests share are found in the environment, see [`shared`]. Beside services a test may need a small disk
//! to fill up: [`on_small_disk`].

mod cassandra;
mod error;
mod instance;
mod java;
mod kafka;
mod kind;
mod node;
mod packages;
pub mod ports;
mod probe;
mod process;
mod registry;
pub mod shared;
mod small_disk;
mod template;
mod temporary;

pub use cassandra::CassandraSetup;
pub use error::Error;
pub use instance::Instance;
pub use java::java;
pub use kafka::KafkaSetup;
pub use kind::Kind;
pub use node::{Node, State};
pub use packages::{Packages, run_folder};
pub use registry::{RegistrySetup, registry_url};
pub use small_disk::on_small_disk;
pub use temporary::Temporary;
