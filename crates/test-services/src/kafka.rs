//! Kafka: one node, or several that replicate.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Kind, Node, Packages, error::Error, java, node::Facts, probe::Probe, template::fill};

/// A cluster id is 16 bytes in base64url; any will do for a cluster that nobody else meets.
const CLUSTER_ID: &str = "aGluZGNhc3QtbG9jYWxfMQ";
const PROPERTIES: &str = include_str!("../../../infra/local/kafka/server.properties");
const LOG4J: &str = include_str!("../../../infra/local/kafka/log4j2.xml");

/// A cluster that is to be set up.
#[derive(Debug, Clone)]
pub struct KafkaSetup {
    nodes: u16,
    first_port: u16,
    properties: Vec<String>,
    format_arguments: Vec<String>,
    jvm_arguments: Vec<String>,
    answers_anyone: bool,
}

impl KafkaSetup {
    /// `nodes` brokers. Node `n` (from 1) listens for clients on `first_port + 2 (n - 1)` and for the controllers on
    /// the port after that.
    #[must_use]
    pub fn new(nodes: u16, first_port: u16) -> Self {
        Self {
            nodes,
            first_port,
            properties: Vec::new(),
            format_arguments: Vec::new(),
            jvm_arguments: Vec::new(),
            answers_anyone: true,
        }
    }

    /// How many ports in a row a cluster takes.
    #[must_use]
    pub fn ports(nodes: u16) -> u16 {
        nodes.saturating_mul(2)
    }

    /// A line of `server.properties`; wins over what stands there.
    #[must_use]
    pub fn property(mut self, line: impl Into<String>) -> Self {
        self.properties.push(line.into());
        self
    }

    /// An argument of the formatting of a new node's folder, such as `--add-scram` and what follows it.
    #[must_use]
    pub fn format_argument(mut self, argument: impl Into<String>) -> Self {
        self.format_arguments.push(argument.into());
        self
    }

    /// An argument of Java, such as `-Djava.security.auth.login.config=FILE`.
    #[must_use]
    pub fn jvm_argument(mut self, argument: impl Into<String>) -> Self {
        self.jvm_arguments.push(argument.into());
        self
    }

    /// Clients need credentials or TLS: a node counts as ready when it accepts connections.
    #[must_use]
    pub fn secured(mut self) -> Self {
        self.answers_anyone = false;
        self
    }

    /// Makes configurations and formats the folders of new nodes; nothing is started.
    ///
    /// # Errors
    /// When the packages can't be had, a node runs with other settings, or the folder holds a cluster of another size.
    pub fn set_up(&self, folder: &Path, packages: &Packages) -> Result<Vec<Node>, Error> {
        let there = nodes_there(folder);
        if there != 0 && there != self.nodes {
            return Err(Error::new(format!(
                "{} holds a Kafka cluster of {there} nodes, not of {}",
                folder.display(),
                self.nodes
            ))
            .with_remedy("stop it and remove its data first (`cargo xtask services down kafka --wipe`)"));
        }
        let java = java::java()?;
        let libs = packages.get(Kind::Kafka)?.join("libs");
        (1..=self.nodes).map(|id| self.node(id, folder, &java, &libs)).collect()
    }

    fn node(&self, id: u16, folder: &Path, java: &Path, libs: &Path) -> Result<Node, Error> {
        let name = node_name(id);
        let folder = folder.join(&name);
        let config = folder.join("config");
        fs::create_dir_all(&config).map_err(|error| Error::file(&config, &error))?;
        let (properties, log4j) = (config.join("server.properties"), config.join("log4j2.xml"));
        let mut java_command = vec![java.display().to_string()];
        // Several share the machine's memory.
        java_command.push(if self.nodes == 1 { "-Xmx1g" } else { "-Xmx512m" }.to_owned());
        java_command.push(format!("-Dlog4j2.configurationFile={}", log4j.display()));
        java_command.extend(self.jvm_arguments.iter().cloned());
        java_command.extend(["-cp".to_owned(), format!("{}/*", libs.display())]);
        let mut command = java_command.clone();
        command.extend(["kafka.Kafka".to_owned(), properties.display().to_string()]);
        let facts = Facts {
            name,
            kind: Kind::Kafka,
            version: Kind::Kafka.version().to_owned(),
            address: self.address(id),
            inner_ports: vec![self.controller_port(id)],
            command,
            probe: if self.answers_anyone { Probe::Kafka { node: i32::from(id) } } else { Probe::Listening },
            process: None,
        };
        let node = Node::set_up(&folder, facts)?;
        let data = folder.join("data");
        fs::write(&properties, self.properties_of(id, &data)).map_err(|error| Error::file(&properties, &error))?;
        fs::write(&log4j, LOG4J).map_err(|error| Error::file(&log4j, &error))?;
        if !data.join("meta.properties").exists() {
            self.format(java_command, &properties)?;
        }
        Ok(node)
    }

    fn properties_of(&self, id: u16, data: &Path) -> String {
        let voters: Vec<_> =
            (1..=self.nodes).map(|id| format!("{id}@127.0.0.1:{}", self.controller_port(id))).collect();
        let replication = self.nodes.min(3);
        let values = [
            ("NODE_ID", id.to_string()),
            ("VOTERS", voters.join(",")),
            ("CLIENT_PORT", self.address(id).port().to_string()),
            ("CONTROLLER_PORT", self.controller_port(id).to_string()),
            ("DATA", data.display().to_string()),
            ("REPLICATION", replication.to_string()),
            ("MIN_INSYNC", replication.saturating_sub(1).max(1).to_string()),
        ];
        let mut text = fill(PROPERTIES, &values);
        for line in &self.properties {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn format(&self, java_command: Vec<String>, properties: &Path) -> Result<(), Error> {
        let mut arguments = java_command.into_iter();
        let java = arguments.next().unwrap_or_default();
        let output = Command::new(&java)
            .args(arguments)
            .args(["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c"])
            .arg(properties)
            .args(&self.format_arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Error::new(format!("{java} can't be started: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(Error::new(format!("Kafka's folder can't be formatted:\n{}", said.trim_end())))
    }

    fn address(&self, id: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.first_port.saturating_add(2 * id.saturating_sub(1))))
    }

    fn controller_port(&self, id: u16) -> u16 {
        self.address(id).port().saturating_add(1)
    }
}

fn node_name(id: u16) -> String {
    format!("kafka-{id}")
}

fn nodes_there(folder: &Path) -> u16 {
    let data = |id: &u16| -> PathBuf { folder.join(node_name(*id)).join("data") };
    u16::try_from((1..=u16::from(u8::MAX)).take_while(|id| data(id).exists()).count()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::lines;

    #[test]
    fn every_word_of_the_properties_is_filled_in() {
        let setup = KafkaSetup::new(3, 23_100).property("a=b");
        let text = setup.properties_of(2, Path::new("/data"));
        let left = lines(&text).filter(|line| line.contains('@') && !line.starts_with("controller.quorum.voters="));
        assert_eq!(left.count(), 0, "{text}");
        for line in [
            "node.id=2",
            "controller.quorum.voters=1@127.0.0.1:23101,2@127.0.0.1:23103,3@127.0.0.1:23105",
            "listeners=CLIENT://127.0.0.1:23102,CONTROLLER://127.0.0.1:23103",
            "log.dirs=/data",
            "min.insync.replicas=2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("\na=b\n"), "{text}");
        assert!(KafkaSetup::new(1, 23_100).properties_of(1, Path::new("/data")).contains("\nmin.insync.replicas=1\n"));
    }
}
