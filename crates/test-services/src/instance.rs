//! Nodes that belong together, in one folder.

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
};

use crate::{Kind, Node, error::Error};

/// The nodes of one folder. Only one process changes them at a time.
#[derive(Debug)]
pub struct Instance {
    nodes: Vec<Node>,
    _lock: File,
}

impl Instance {
    /// The nodes that were set up in a folder, in the order of their names; waits while another process changes them.
    ///
    /// # Errors
    /// When the folder can't be read or written.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(|error| Error::file(folder, &error))?;
        let lock = folder.join("lock");
        let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let held = held.map_err(|error| Error::file(&lock, &error))?;
        Ok(Self { nodes: nodes(folder)?, _lock: held })
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Takes nodes in, in place of those of the same names, and starts them beside each other; one that runs stays.
    ///
    /// # Errors
    /// When one does not start.
    pub fn start(&mut self, mut nodes: Vec<Node>) -> Result<(), Error> {
        let started = start_all(&mut nodes);
        self.nodes.retain(|old| nodes.iter().all(|new| new.name() != old.name()));
        self.nodes.extend(nodes);
        self.nodes.sort_by(|a, b| a.name().cmp(b.name()));
        started
    }

    /// Lets the nodes of some kinds end by themselves, beside each other; those that take too long are killed.
    ///
    /// # Errors
    /// When the system does not end one.
    pub fn stop(&mut self, kinds: &[Kind]) -> Result<(), Error> {
        let mut chosen: Vec<_> = self.nodes.iter_mut().filter(|node| kinds.contains(&node.kind())).collect();
        stop_all(&mut chosen)
    }

    /// Kills the nodes of some kinds and removes their folders.
    ///
    /// # Errors
    /// When one does not end or its folder can't be removed.
    pub fn remove(&mut self, kinds: &[Kind]) -> Result<(), Error> {
        let mut chosen = self.nodes.extract_if(.., |node| kinds.contains(&node.kind()));
        chosen.try_for_each(Node::remove)
    }

    /// The node of a name.
    ///
    /// # Errors
    /// When there is none of that name; with the names that there are.
    pub fn node(&mut self, name: &str) -> Result<&mut Node, Error> {
        let names: Vec<_> = self.nodes.iter().map(|node| node.name().to_owned()).collect();
        self.nodes.iter_mut().find(|node| node.name() == name).ok_or_else(|| {
            let there =
                if names.is_empty() { "none was set up".to_owned() } else { format!("there are {}", names.join(", ")) };
            Error::new(format!("no node is called {name}: {there}"))
        })
    }
}

/// The nodes of a folder, without keeping others from changing them.
pub(crate) fn nodes(folder: &Path) -> Result<Vec<Node>, Error> {
    let entries = fs::read_dir(folder).map_err(|error| Error::file(folder, &error))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    folders.sort();
    let nodes = folders.iter().filter(|path| path.is_dir()).map(|path| Node::load(path));
    nodes.filter_map(Result::transpose).collect()
}

/// Starts nodes beside each other and waits until all answer.
pub(crate) fn start_all(nodes: &mut [Node]) -> Result<(), Error> {
    nodes.iter_mut().try_for_each(Node::launch)?;
    nodes.iter().try_for_each(Node::wait_until_ready)
}

/// Stops nodes beside each other. All are tried, whatever happens to one.
pub(crate) fn stop_all(nodes: &mut [&mut Node]) -> Result<(), Error> {
    let told: Vec<_> = nodes.iter().map(|node| node.terminate()).collect();
    let ended: Vec<_> = nodes.iter_mut().map(|node| node.wait_until_ended()).collect();
    told.into_iter().chain(ended).collect()
}
