//! `deny.toml`: the part of cargo-deny's configuration that is used here.

use std::{fs, path::Path};

use serde::Deserialize;
use spdx::Licensee;

use crate::failure::Failure;

/// The whole file. A key that is not known here would be a rule that nobody checks, so it is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) graph: Graph,
    pub(super) licenses: Licenses,
    pub(super) bans: Bans,
    pub(super) sources: Sources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Graph {
    /// Targets whose dependencies count.
    pub(super) targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Licenses {
    /// SPDX identifiers that any package may have.
    pub(super) allow: Vec<License>,
    /// Packages that may have others.
    pub(super) exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) allow: Vec<License>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Bans {
    /// What to do about a package that is there in several versions.
    pub(super) multiple_versions: Level,
    pub(super) deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Ban {
    #[serde(rename = "crate")]
    pub(super) name: String,
    /// Why; what to use in its place.
    pub(super) reason: String,
    /// The package is welcome, a second version of it is not.
    #[serde(default)]
    pub(super) deny_multiple_versions: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Sources {
    pub(super) unknown_git: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Allow,
    Warn,
    Deny,
}

/// A licence as it is allowed.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct License(pub(super) Licensee);

impl TryFrom<String> for License {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Licensee::parse(&text).map(Self).map_err(|error| format!("{text} is no SPDX licence: {}", error.reason))
    }
}

impl Policy {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("{} can't be read: {error}", path.display())))?;
        Self::parse(&text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_rules_and_licences_are_refused() {
        for (bad, because) in [
            ("[licences]\nallow = []", "unknown field `licences`"),
            ("graph.targets = []\nlicenses.allow = ['My Own Licence']", "My Own Licence is no SPDX licence"),
            ("graph.targets = []\nbans.deny = [{ crate = 'a' }]", "missing field `reason`"),
            ("bans.multiple-versions = 'forbid'", "unknown variant `forbid`"),
        ] {
            let refused = Policy::parse(bad).unwrap_err();
            assert!(refused.contains(because), "{refused}");
        }
    }
}
