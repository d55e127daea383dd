//! Doing something to one node.

use clap::Args;
use hindcast_test_services::{Error, Node};

use super::{Place, status};
use crate::{failure::Failure, report::say};

/// Which node.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its name, as `status` shows it
    #[arg(value_name = "NODE")]
    name: String,
    #[command(flatten)]
    place: Place,
}

impl One {
    /// Does it, and shows how all are then.
    pub(super) fn with(&self, act: impl FnOnce(&mut Node) -> Result<(), Error>) -> Result<(), Failure> {
        let mut instance = self.place.open()?;
        act(instance.node(&self.name)?)?;
        say(&status::table(instance.nodes()));
        Ok(())
    }
}
