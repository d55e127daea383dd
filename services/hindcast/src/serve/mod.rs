//! Composes roles on adapters in this process.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::exit::Failure;

/// What the command line overrides of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Where the data is kept.
    pub data: Option<PathBuf>,
    /// Which roles to run; all when empty.
    pub roles: Vec<String>,
}

/// Configuration of `hindcast serve`.
#[derive(Debug, Clone)]
pub struct ServeConfig {}

impl ServeConfig {
    /// Reads a configuration file, the environment and overrides, in rising precedence.
    ///
    /// # Errors
    /// All faults together.
    pub fn load(_file: Option<&Path>, _overrides: &Overrides) -> Result<Self, Failure> {
        todo!()
    }
}

/// A running system.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The secret of the admin key that was created, when the data folder was empty.
    pub admin_key: Option<String>,
}

impl Running {
    /// Stops accepting, finishes what was begun, flushes.
    ///
    /// # Errors
    /// When something could not be finished.
    pub async fn shutdown(self) -> Result<(), Failure> {
        todo!()
    }
}

/// Starts all roles of the configuration and returns once they are ready.
///
/// # Errors
/// One clear line: port taken, folder in use, not writable, of another version.
pub async fn start(_config: ServeConfig) -> Result<Running, Failure> {
    todo!()
}
