//! What cargo knows of all packages of the lock file.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{command::cargo, failure::Failure};

/// The part of `cargo metadata` that is used here.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression.
    pub(super) license: Option<String>,
    /// Where it comes from; none for what is in this repository.
    pub(super) source: Option<String>,
}

impl Metadata {
    /// Asks cargo for the packages that any of the targets needs.
    pub(super) fn read(targets: &[String]) -> Result<Self, Failure> {
        let mut arguments = vec!["metadata", "--locked", "--format-version", "1"];
        for target in targets {
            arguments.extend(["--filter-platform", target.as_str()]);
        }
        let json = cargo(arguments).output().map_err(|failure| {
            failure.with_remedy(
                "if Cargo.lock does not fit the Cargo.toml files, `cargo check` brings it up to date; commit it with them",
            )
        })?;
        Self::parse(&json)
    }

    pub(super) fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|error| Failure::new(format!("cargo's metadata is unreadable: {error}")))
    }

    /// Versions of a package, none if it is not there.
    pub(super) fn versions_of(&self, name: &str) -> BTreeSet<&str> {
        self.packages.iter().filter(|package| package.name == name).map(|package| package.version.as_str()).collect()
    }
}
