//! The Java that runs the services.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::Error;

/// Cassandra 5 runs on this one and no later one; Kafka needs it or a later one.
const VERSION: u32 = 17;

/// A Java of the version that all of them run on.
///
/// # Errors
/// When none is found, with how to get it.
pub fn java() -> Result<PathBuf, Error> {
    let candidates = candidates();
    candidates.iter().find(|java| version(java) == Some(VERSION)).cloned().ok_or_else(|| {
        Error::new(format!("Java {VERSION} is missing: neither on the path, nor in JAVA_HOME, nor under /usr/lib/jvm"))
            .with_remedy("on Debian 12: apt-get install openjdk-17-jre-headless")
    })
}

fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    found.extend(env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java")));
    found.push(PathBuf::from("java"));
    let installed = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().filter_map(Result::ok);
    found.extend(installed.map(|entry| entry.path().join("bin/java")));
    found
}

fn version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").stdin(Stdio::null()).output().ok()?;
    parse(&String::from_utf8_lossy(&output.stderr))
}

/// Of `openjdk version "17.0.15" 2025-04-15`.
fn parse(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("version \"")?;
    version.split(['.', '"', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse("openjdk version \"17.0.15\" 2025-04-15\nmore"), Some(17));
        assert_eq!(parse("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(parse("java version \"1.8.0_402\""), Some(1));
        assert_eq!(parse("no such thing"), None);
    }
}
