//! What runs where.

use hindcast_test_services::{Instance, Kind, Node, State, registry_url, shared};
use serde::Serialize;

use crate::{failure::Failure, report::say};

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    version: &'a str,
    state: State,
    address: String,
    pid: Option<i32>,
    folder: String,
}

impl<'a> Row<'a> {
    fn of(node: &'a Node) -> Self {
        Self {
            name: node.name(),
            version: node.version(),
            state: node.state(),
            address: node.address().to_string(),
            pid: node.pid(),
            folder: node.folder().display().to_string(),
        }
    }
}

/// Prints all nodes of a folder. Fails when any does not answer, so that scripts can ask.
pub(super) fn show(instance: &Instance, json: bool) -> Result<(), Failure> {
    let nodes = instance.nodes();
    if json {
        let rows: Vec<_> = nodes.iter().map(Row::of).collect();
        say(&serde_json::to_string_pretty(&rows).map_err(|error| Failure::new(error.to_string()))?);
    } else {
        say(&table(nodes));
    }
    let bad: Vec<_> = nodes.iter().filter(|node| node.state() != State::Ready).map(Node::name).collect();
    match (nodes.is_empty(), bad.is_empty()) {
        (true, _) => Err(Failure::new("nothing was started here").with_remedy("cargo xtask services up")),
        (false, true) => Ok(()),
        (false, false) => Err(Failure::new(format!("not ready: {}", bad.join(", ")))
            .with_remedy("`cargo xtask services up` starts what is stopped; `log` in its folder tells why it ended")),
    }
}

pub(super) fn table(nodes: &[Node]) -> String {
    let mut lines = vec![format!("{:<12}{:<15}{:<9}{:<19}{:>9}", "node", "version", "state", "address", "pid")];
    for Row { name, version, state, address, pid, .. } in nodes.iter().map(Row::of) {
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        lines.push(format!("{name:<12}{version:<15}{state:<9}{address:<19}{pid:>9}"));
    }
    if let Some(folder) = nodes.first().and_then(|node| node.folder().parent()) {
        lines.push(format!("data and logs: {}/NODE", folder.display()));
    }
    lines.join("\n")
}

/// Where tests find the services.
pub(super) fn variables(nodes: &[Node]) -> Vec<(&'static str, String)> {
    let [kafka, cql, registry] = places(nodes);
    let all = [(shared::KAFKA, kafka), (shared::CQL, cql), (shared::REGISTRY, registry)];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Where `hindcast` finds the services: overrides of its configuration.
pub(super) fn settings(nodes: &[Node]) -> Vec<(&'static str, String)> {
    let [kafka, cql, registry] = places(nodes);
    vec![
        ("HINDCAST_LOG__KAFKA__BROKERS", kafka),
        // A list is written as in TOML.
        ("HINDCAST_VIEWS__CQL__NODES", format!("[\"{cql}\"]")),
        ("HINDCAST_REGISTRY__URL", registry),
    ]
}

/// Kafka, the CQL store, the registry; empty where there is none.
fn places(nodes: &[Node]) -> [String; 3] {
    let of = |kind: Kind| nodes.iter().filter(move |node| node.kind() == kind);
    let addresses = |kind| of(kind).map(|node| node.address().to_string()).collect::<Vec<_>>().join(",");
    let registry = of(Kind::Registry).map(registry_url).next().unwrap_or_default();
    [addresses(Kind::Kafka), addresses(Kind::Cassandra), registry]
}

/// For a shell.
pub(super) fn exports(instance: &Instance) -> String {
    let lines = variables(instance.nodes()).into_iter().map(|(name, value)| format!("export {name}={value}"));
    lines.collect::<Vec<_>>().join("\n")
}
