//! How many nodes, on which ports.

use clap::Args;
use hindcast_test_services::{CassandraSetup, KafkaSetup, ports};

use crate::failure::Failure;

/// As on the command line.
#[derive(Debug, Args)]
pub(crate) struct Ports {
    /// Nodes of Kafka; three replicate and lose nothing when one dies
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=9))]
    kafka_nodes: u16,
    /// Kafka's first port; each node takes two
    #[arg(long, value_name = "PORT", default_value_t = 19_092)]
    kafka_port: u16,
    /// Cassandra's port; it takes the next one too
    #[arg(long, value_name = "PORT", default_value_t = 19_042)]
    cassandra_port: u16,
    /// The registry's port
    #[arg(long, value_name = "PORT", default_value_t = 18_081)]
    registry_port: u16,
}

/// How many nodes, on which ports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) kafka_nodes: u16,
    pub(crate) kafka_port: u16,
    pub(crate) cassandra_port: u16,
    pub(crate) registry_port: u16,
}

impl Ports {
    pub(crate) fn layout(&self) -> Layout {
        let Self { kafka_nodes, kafka_port, cassandra_port, registry_port } = *self;
        Layout { kafka_nodes, kafka_port, cassandra_port, registry_port }
    }
}

impl Layout {
    /// One node of each on ports that are free.
    pub(crate) fn on_free_ports() -> Result<Self, Failure> {
        Ok(Self {
            kafka_nodes: 1,
            kafka_port: ports::free(KafkaSetup::ports(1))?,
            cassandra_port: ports::free(CassandraSetup::PORTS)?,
            registry_port: ports::free(1)?,
        })
    }
}
