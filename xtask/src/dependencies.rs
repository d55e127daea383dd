//! Whether licences, bans and sources of all dependencies are as `deny.toml` wants them.
//!
//! The file is in the form that cargo-deny reads, so that its further checks can be run with it by hand. What every
//! run of the tests needs is little and is done here: nobody has to install anything, and nothing is asked of a network.

mod bans;
mod licences;
mod metadata;
mod policy;

use metadata::Metadata;
use policy::{Level, Policy};

use crate::{
    command::root,
    failure::{Failure, StepResult},
    report::say,
};

/// Checks them all; names every fault.
pub(crate) fn check() -> StepResult {
    let policy = Policy::read(&root().join("deny.toml"))?;
    let metadata = Metadata::read(&policy.graph.targets)?;
    let several = bans::in_several_versions(&metadata);
    if policy.bans.multiple_versions == Level::Warn && !several.is_empty() {
        say(&format!("in several versions: {}", several.join("; ")));
    }
    let faults = faults(&policy, &metadata);
    if faults.is_empty() {
        say(&format!("{} packages, all as deny.toml wants them", metadata.packages.len()));
        return Ok(());
    }
    Err(Failure::new(faults.join("\n  "))
        .with_remedy("`cargo tree --locked --workspace --target all -i NAME` shows what brings a package in"))
}

fn faults(policy: &Policy, metadata: &Metadata) -> Vec<String> {
    let mut faults = licences::faults(&policy.licenses, metadata);
    faults.extend(bans::faults(&policy.bans, metadata));
    if policy.sources.unknown_git == Level::Deny {
        faults.extend(bans::from_git(metadata));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_policy_is_one() {
        let policy = Policy::read(&root().join("deny.toml")).unwrap();
        assert!(!policy.licenses.allow.is_empty() && !policy.graph.targets.is_empty());
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let policy = Policy::parse(
            r#"
            graph.targets = ["any"]
            licenses.allow = ["MIT"]
            licenses.exceptions = []
            bans.multiple-versions = "deny"
            bans.deny = [{ crate = "openssl-sys", reason = "needs OpenSSL" }]
            sources.unknown-git = "deny"
            "#,
        )
        .unwrap();
        let metadata = Metadata::parse(
            r#"{"packages": [
                {"name": "a", "version": "1.0.0", "license": "GPL-3.0-only", "source": null},
                {"name": "a", "version": "2.0.0", "license": "MIT", "source": "git+https://example.org/a"},
                {"name": "openssl-sys", "version": "0.9.1", "license": "MIT", "source": "registry"}
            ]}"#,
        )
        .unwrap();
        assert_eq!(
            faults(&policy, &metadata),
            [
                "a 1.0.0: GPL-3.0-only is not allowed",
                "openssl-sys 0.9.1 is banned: needs OpenSSL",
                "a is there in several versions: 1.0.0, 2.0.0",
                "a 2.0.0 comes from a git repository, which can change or vanish",
            ]
        );
    }
}
