//! Whether each package can be had under a licence that is allowed.

use spdx::{Expression, ParseMode};

use super::{
    metadata::{Metadata, Package},
    policy::{License, Licenses},
};

/// One line for each package whose licence is not allowed, and for each exception that is not needed.
pub(super) fn faults(policy: &Licenses, metadata: &Metadata) -> Vec<String> {
    let mut faults: Vec<_> = metadata.packages.iter().filter_map(|package| fault(policy, package)).collect();
    for exception in &policy.exceptions {
        let name = &exception.name;
        let needs_it = |package: &Package| package.name == *name && !is_allowed(package, [&policy.allow]);
        if !metadata.packages.iter().any(needs_it) {
            faults.push(format!("the exception for {name} is not needed any more"));
        }
    }
    faults
}

fn fault(policy: &Licenses, package: &Package) -> Option<String> {
    let exceptions = policy.exceptions.iter().filter(|exception| exception.name == package.name);
    let allowed = std::iter::once(&policy.allow).chain(exceptions.map(|exception| &exception.allow));
    if is_allowed(package, allowed) {
        return None;
    }
    let Package { name, version, license, .. } = package;
    Some(match license {
        Some(license) if parse(license).is_some() => format!("{name} {version}: {license} is not allowed"),
        Some(license) => format!("{name} {version}: {license} is no SPDX expression"),
        None => format!("{name} {version} says nothing of its licence"),
    })
}

fn is_allowed<'p>(package: &Package, allowed: impl IntoIterator<Item = &'p Vec<License>>) -> bool {
    let allowed: Vec<_> = allowed.into_iter().flatten().collect();
    let expression = package.license.as_deref().and_then(parse);
    // `A OR B` needs one of them, `A AND B` both.
    expression.is_some_and(|expression| {
        expression.evaluate(|requirement| allowed.iter().any(|license| license.0.satisfies(requirement)))
    })
}

fn parse(license: &str) -> Option<Expression> {
    // Older packages write `MIT/Apache-2.0`.
    Expression::parse_mode(license, ParseMode::LAX).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licenses(allow: &[&str], exceptions: &str) -> Licenses {
        toml::from_str(&format!("allow = {allow:?}\nexceptions = {exceptions}")).unwrap()
    }

    fn package(license: Option<&str>) -> Metadata {
        let license = license.map(str::to_owned);
        let package = Package { name: "a".to_owned(), version: "1.0.0".to_owned(), license, source: None };
        Metadata { packages: vec![package] }
    }

    #[test]
    fn expressions_are_evaluated() {
        let policy = licenses(&["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"], "[]");
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "Apache-2.0 OR GPL-2.0-only",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR BSD-3-Clause",
        ] {
            assert_eq!(faults(&policy, &package(Some(allowed))), [""; 0], "{allowed}");
        }
        for refused in
            ["GPL-3.0-only", "MIT AND BSD-3-Clause", "MIT WITH LLVM-exception", "(GPL-2.0-only OR Zlib) AND MIT"]
        {
            assert_eq!(faults(&policy, &package(Some(refused))), [format!("a 1.0.0: {refused} is not allowed")]);
        }
        assert_eq!(faults(&policy, &package(Some("see file"))), ["a 1.0.0: see file is no SPDX expression"]);
        assert_eq!(faults(&policy, &package(None)), ["a 1.0.0 says nothing of its licence"]);
    }

    #[test]
    fn exceptions_are_for_one_package_and_needed() {
        let mpl = package(Some("MPL-2.0"));
        assert_eq!(faults(&licenses(&["MIT"], r#"[{ crate = "a", allow = ["MPL-2.0"] }]"#), &mpl), [""; 0]);
        let for_another = licenses(&["MIT"], r#"[{ crate = "b", allow = ["MPL-2.0"] }]"#);
        let stale = "the exception for b is not needed any more";
        assert_eq!(faults(&for_another, &mpl), ["a 1.0.0: MPL-2.0 is not allowed", stale]);
        let stale = "the exception for a is not needed any more";
        let not_needed = licenses(&["MIT"], r#"[{ crate = "a", allow = ["MPL-2.0"] }]"#);
        assert_eq!(faults(&not_needed, &package(Some("MIT"))), [stale]);
    }
}
