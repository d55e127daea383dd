//! Packages that must not be there, or only once.

use std::collections::BTreeSet;

use super::{
    metadata::Metadata,
    policy::{Bans, Level},
};

/// One line for each package that is banned, and for each that may not be there twice.
pub(super) fn faults(policy: &Bans, metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for ban in &policy.deny {
        let versions: Vec<_> = metadata.versions_of(&ban.name).into_iter().collect();
        if ban.deny_multiple_versions && versions.len() > 1 {
            faults.push(format!("{} may be there once, not as {}: {}", ban.name, versions.join(" and "), ban.reason));
        } else if !ban.deny_multiple_versions {
            faults.extend(versions.iter().map(|version| format!("{} {version} is banned: {}", ban.name, ban.reason)));
        }
    }
    if policy.multiple_versions == Level::Deny {
        let several = in_several_versions(metadata);
        faults.extend(several.iter().map(|package| match package.split_once(' ') {
            Some((name, versions)) => format!("{name} is there in several versions: {versions}"),
            None => package.clone(),
        }));
    }
    faults
}

/// Each as `name 1.0.0, 2.0.0`.
pub(super) fn in_several_versions(metadata: &Metadata) -> Vec<String> {
    let names: BTreeSet<_> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let versions = names.into_iter().map(|name| (name, metadata.versions_of(name)));
    let several = versions.filter(|(_, versions)| versions.len() > 1);
    several.map(|(name, versions)| format!("{name} {}", versions.into_iter().collect::<Vec<_>>().join(", "))).collect()
}

/// One line for each package that is fetched from a repository instead of being a release.
pub(super) fn from_git(metadata: &Metadata) -> Vec<String> {
    let from_git = |source: &Option<String>| source.as_deref().is_some_and(|source| source.starts_with("git+"));
    let packages = metadata.packages.iter().filter(|package| from_git(&package.source));
    packages
        .map(|package| {
            format!("{} {} comes from a git repository, which can change or vanish", package.name, package.version)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::metadata::Package;

    fn metadata(packages: &[(&str, &str)]) -> Metadata {
        let package = |(name, version): &(&str, &str)| Package {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            license: None,
            source: None,
        };
        Metadata { packages: packages.iter().map(package).collect() }
    }

    fn bans(level: &str) -> Bans {
        toml::from_str(&format!(
            r#"
            multiple-versions = "{level}"
            deny = [
                {{ crate = "native-tls", reason = "TLS ends at the proxy" }},
                {{ crate = "tokio", deny-multiple-versions = true, reason = "two runtimes do not meet" }},
            ]
            "#
        ))
        .unwrap()
    }

    #[test]
    fn banned_packages_and_second_versions_are_named() {
        let good = metadata(&[("tokio", "1.0.0"), ("rand", "0.8.0"), ("rand", "0.10.0")]);
        assert_eq!(faults(&bans("warn"), &good), [""; 0]);
        assert_eq!(in_several_versions(&good), ["rand 0.10.0, 0.8.0"]);
        assert_eq!(faults(&bans("deny"), &good), ["rand is there in several versions: 0.10.0, 0.8.0"]);
        let bad = metadata(&[("tokio", "1.0.0"), ("tokio", "2.0.0"), ("native-tls", "0.2.0")]);
        assert_eq!(
            faults(&bans("allow"), &bad),
            [
                "native-tls 0.2.0 is banned: TLS ends at the proxy",
                "tokio may be there once, not as 1.0.0 and 2.0.0: two runtimes do not meet",
            ]
        );
    }
}
