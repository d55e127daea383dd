//! Cassandra: one node.

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

const YAML: &str = include_str!("../../../infra/local/cassandra/cassandra.yaml");
const LOGBACK: &str = include_str!("../../../infra/local/cassandra/logback.xml");
const JVM_OPTIONS: &str = include_str!("../../../infra/local/cassandra/jvm.options");

/// A node that is to be set up.
#[derive(Debug, Clone)]
pub struct CassandraSetup {
    port: u16,
    settings: Vec<String>,
    answers_anyone: bool,
}

impl CassandraSetup {
    /// How many ports in a row a node takes.
    pub const PORTS: u16 = 2;

    /// A node that listens for clients on `port`, and for other nodes, of which there are none, on the one after it.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { port, settings: Vec::new(), answers_anyone: true }
    }

    /// Lines of `cassandra.yaml` that are added at its end, such as `authenticator: PasswordAuthenticator`.
    #[must_use]
    pub fn settings(mut self, lines: impl Into<String>) -> Self {
        self.settings.push(lines.into());
        self
    }

    /// Clients need TLS: a node counts as ready when it accepts connections.
    #[must_use]
    pub fn secured(mut self) -> Self {
        self.answers_anyone = false;
        self
    }

    /// Makes the configuration; nothing is started.
    ///
    /// # Errors
    /// When the package can't be had or the node runs with other settings.
    pub fn set_up(&self, folder: &Path, packages: &Packages) -> Result<Node, Error> {
        let java = java::java()?;
        let libs = packages.get(Kind::Cassandra)?.join("libs");
        let folder = folder.join(Kind::Cassandra.name());
        let config = folder.join("config");
        fs::create_dir_all(&config).map_err(|error| Error::file(&config, &error))?;
        let (yaml, data) = (config.join("cassandra.yaml"), folder.join("data"));
        let mut command = vec![java.display().to_string(), "-Xms1g".to_owned(), "-Xmx1g".to_owned()];
        command.push(format!("-javaagent:{}", jamm(&libs)?));
        command.extend(lines(JVM_OPTIONS).map(str::to_owned));
        command.push(format!("-Dcassandra.storagedir={}", data.display()));
        command.push(format!("-Dcassandra.config=file://{}", yaml.display()));
        command.extend(["-cp".to_owned(), format!("{}:{}/*", config.display(), libs.display())]);
        command.push("org.apache.cassandra.service.CassandraDaemon".to_owned());
        let facts = Facts {
            name: Kind::Cassandra.name().to_owned(),
            kind: Kind::Cassandra,
            version: Kind::Cassandra.version().to_owned(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            inner_ports: vec![self.storage_port()],
            command,
            probe: if self.answers_anyone { Probe::Cql } else { Probe::Listening },
            process: None,
        };
        let node = Node::set_up(&folder, facts)?;
        for (file, text) in [(&yaml, self.yaml(&data)), (&config.join("logback.xml"), LOGBACK.to_owned())] {
            fs::write(file, text).map_err(|error| Error::file(file, &error))?;
        }
        Ok(node)
    }

    fn yaml(&self, data: &Path) -> String {
        let values = [
            ("CLIENT_PORT", self.port.to_string()),
            ("STORAGE_PORT", self.storage_port().to_string()),
            ("DATA", data.display().to_string()),
        ];
        let mut text = fill(YAML, &values);
        for setting in &self.settings {
            text.push_str(setting);
            text.push('\n');
        }
        text
    }

    fn storage_port(&self) -> u16 {
        self.port.saturating_add(1)
    }
}

/// The agent that measures objects; Cassandra does not start without.
fn jamm(libs: &Path) -> Result<String, Error> {
    let entries = fs::read_dir(libs).map_err(|error| Error::file(libs, &error))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path().display().to_string());
    let mut jamm = paths.filter(|path| path.contains("/jamm-"));
    jamm.next().ok_or_else(|| Error::new(format!("{} has no jamm: remove the folder above it", libs.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_yaml_is_filled_in() {
        let text =
            CassandraSetup::new(23_200).settings("authenticator: PasswordAuthenticator").yaml(Path::new("/data"));
        assert!(!lines(&text).any(|line| line.contains('@')), "{text}");
        assert!(text.contains("\nnative_transport_port: 23200\n") && text.contains("seeds: \"127.0.0.1:23201\""));
        assert!(text.ends_with("\nauthenticator: PasswordAuthenticator\n"));
    }
}
