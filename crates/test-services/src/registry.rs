//! The registry of schemas: one node.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use crate::{
    Kind, Node, Packages,
    error::Error,
    java,
    node::Facts,
    probe::Probe,
    template::{fill, lines},
};

const PROPERTIES: &str = include_str!("../../../infra/local/registry/application.properties");
/// Where Confluent's API begins.
const API: &str = "/apis/ccompat/v7";

/// A registry that is to be set up.
#[derive(Debug, Clone)]
pub struct RegistrySetup {
    port: u16,
}

impl RegistrySetup {
    /// A registry that listens on a port.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// Makes the configuration; nothing is started.
    ///
    /// # Errors
    /// When the package can't be had or the node runs with other settings.
    pub fn set_up(&self, folder: &Path, packages: &Packages) -> Result<Node, Error> {
        let java = java::java()?;
        let package = packages.get(Kind::Registry)?;
        let folder = folder.join(Kind::Registry.name());
        let data = folder.join("data");
        fs::create_dir_all(&data).map_err(|error| Error::file(&data, &error))?;
        let mut command = vec![java.display().to_string(), "-Xmx512m".to_owned()];
        let values = [("CLIENT_PORT", self.port.to_string()), ("DATA", data.display().to_string())];
        command.extend(lines(&fill(PROPERTIES, &values)).map(|line| format!("-D{line}")));
        let jar = package.join(format!("apicurio-registry-app-{}-runner.jar", Kind::Registry.version()));
        command.extend(["-jar".to_owned(), jar.display().to_string()]);
        let facts = Facts {
            name: Kind::Registry.name().to_owned(),
            kind: Kind::Registry,
            version: Kind::Registry.version().to_owned(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            inner_ports: Vec::new(),
            command,
            probe: Probe::Http { path: format!("{API}/subjects") },
            process: None,
        };
        Node::set_up(&folder, facts)
    }
}

/// The URL of a registry's Confluent API.
#[must_use]
pub fn registry_url(node: &Node) -> String {
    format!("http://{}{API}", node.address())
}
