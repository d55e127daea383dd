//! Starting.

use std::path::Path;

use hindcast_test_services::{CassandraSetup, Error, Instance, KafkaSetup, Kind, Node, Packages, RegistrySetup};

use super::Layout;
use crate::{
    failure::{Failure, StepResult},
    needs,
    report::say,
};

/// Sets up and starts services of some kinds, and waits until they answer.
pub(super) fn up(folder: &Path, kinds: &[Kind], layout: &Layout) -> Result<Instance, Failure> {
    let packages = Packages::shared();
    get_needs(kinds, &packages)?;
    let mut instance = Instance::open(folder)?;
    let nodes = set_up(kinds, layout, folder, &packages)?;
    let names: Vec<_> = nodes.iter().map(|node| node.name().to_owned()).collect();
    say(&format!("starting {}", names.join(", ")));
    instance.start(nodes)?;
    Ok(instance)
}

/// Gets what they need and is missing, where that can be done.
pub(super) fn get_needs(kinds: &[Kind], packages: &Packages) -> StepResult {
    needs::java()?;
    for kind in kinds.iter().filter(|kind| !packages.has(**kind)) {
        needs::maven()?;
        say(&format!("fetching {} {} from Maven's repository, once", kind.name(), kind.version()));
        packages.get(*kind)?;
    }
    Ok(())
}

/// Makes their configurations.
pub(super) fn set_up(kinds: &[Kind], layout: &Layout, folder: &Path, packages: &Packages) -> Result<Vec<Node>, Error> {
    let mut nodes = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Kafka => {
                nodes.extend(KafkaSetup::new(layout.kafka_nodes, layout.kafka_port).set_up(folder, packages)?);
            }
            Kind::Cassandra => nodes.push(CassandraSetup::new(layout.cassandra_port).set_up(folder, packages)?),
            Kind::Registry => nodes.push(RegistrySetup::new(layout.registry_port).set_up(folder, packages)?),
        }
    }
    Ok(nodes)
}
