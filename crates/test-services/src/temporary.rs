//! Services of one test.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    CassandraSetup, KafkaSetup, Node, Packages, RegistrySetup,
    error::Error,
    instance::{nodes, start_all, stop_all},
    packages::run_folder,
    ports,
    process::ProcessId,
};

/// Holds the process whose services are in a folder.
const OWNER: &str = "owner.json";
/// Ends the name of a folder that is being made.
const NEW: &str = ".new";

/// Services of one test, in a folder of their own. Dropped, they are killed and the folder is removed; when the test
/// failed, the folder stays and its place is printed.
#[derive(Debug)]
pub struct Temporary {
    folder: PathBuf,
    nodes: Vec<Node>,
    kept: bool,
}

impl Temporary {
    /// Ends services of tests that have ended without dropping them, as killed ones do. With `remove` what they and
    /// failed tests left is removed too.
    ///
    /// # Errors
    /// When one can't be ended or removed.
    pub fn sweep(remove: bool) -> Result<(), Error> {
        let Ok(entries) = fs::read_dir(root()) else { return Ok(()) };
        for folder in entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|folder| !is_owned(folder)) {
            nodes(&folder)?.iter_mut().try_for_each(Node::kill)?;
            if remove {
                fs::remove_dir_all(&folder).map_err(|error| Error::file(&folder, &error))?;
            }
        }
        Ok(())
    }

    /// A Kafka cluster on free ports, started.
    ///
    /// # Errors
    /// When it can't be set up or does not start.
    pub fn kafka(nodes: u16) -> Result<Self, Error> {
        let setup = KafkaSetup::new(nodes, ports::free(KafkaSetup::ports(nodes))?);
        Self::start(|folder, packages| setup.set_up(folder, packages))
    }

    /// A node of Cassandra on free ports, started.
    ///
    /// # Errors
    /// When it can't be set up or does not start.
    pub fn cassandra() -> Result<Self, Error> {
        let setup = CassandraSetup::new(ports::free(CassandraSetup::PORTS)?);
        Self::start(|folder, packages| Ok(vec![setup.set_up(folder, packages)?]))
    }

    /// A registry on a free port, started.
    ///
    /// # Errors
    /// When it can't be set up or does not start.
    pub fn registry() -> Result<Self, Error> {
        let setup = RegistrySetup::new(ports::free(1)?);
        Self::start(|folder, packages| Ok(vec![setup.set_up(folder, packages)?]))
    }

    /// Nodes that are set up in a new folder, started.
    ///
    /// # Errors
    /// When they can't be set up or don't start.
    pub fn start(set_up: impl FnOnce(&Path, &Packages) -> Result<Vec<Node>, Error>) -> Result<Self, Error> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{}-{}", std::process::id(), since_1970.as_nanos());
        // Under its name only once the owner is in it: without one it would be swept.
        let (folder, new) = (root().join(&name), root().join(format!("{name}{NEW}")));
        let owner = serde_json::to_string(&ProcessId::own()).map_err(|error| Error::new(error.to_string()))?;
        let made = fs::create_dir_all(&new).and_then(|()| fs::write(new.join(OWNER), owner));
        made.and_then(|()| fs::rename(&new, &folder)).map_err(|error| Error::file(&folder, &error))?;
        let mut services = Self { folder, nodes: Vec::new(), kept: false };
        services.nodes = set_up(&services.folder, &Packages::shared())?;
        start_all(&mut services.nodes)?;
        Ok(services)
    }

    /// Its folder, for files that belong to it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Addresses of all nodes, joined by commas, whether they run or not.
    #[must_use]
    pub fn addresses(&self) -> String {
        self.nodes.iter().map(|node| node.address().to_string()).collect::<Vec<_>>().join(",")
    }

    /// The node of a name: `kafka-1`, …, `cassandra`, `registry`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn node(&mut self, name: &str) -> Result<&mut Node, Error> {
        let found = self.nodes.iter_mut().find(|node| node.name() == name);
        found.ok_or_else(|| Error::new(format!("no node is called {name}")))
    }

    /// Leaves the folder there when the services end, for whoever wants to read their logs.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Lets all end by themselves; their data stays until this is dropped.
    ///
    /// # Errors
    /// When the system does not end one.
    pub fn stop(&mut self) -> Result<(), Error> {
        stop_all(&mut self.nodes.iter_mut().collect::<Vec<_>>())
    }
}

fn root() -> PathBuf {
    run_folder().join("tests")
}

fn is_owned(folder: &Path) -> bool {
    if folder.extension().is_some_and(|extension| NEW.ends_with(&*extension.to_string_lossy())) {
        return true;
    }
    let owner = fs::read_to_string(folder.join(OWNER)).ok();
    let owner = owner.and_then(|text| serde_json::from_str::<Option<ProcessId>>(&text).ok()).flatten();
    owner.is_some_and(ProcessId::is_alive)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // The folder is removed all the same; a process that can't be ended is beyond help.
            let _ = node.kill();
        }
        if self.kept || thread::panicking() {
            eprintln!("what the services of the tests left is in {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
