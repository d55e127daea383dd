//! What deploys Hindcast, checked as far as that goes without a container engine: the image, the compose file, alerts,
//! and the proxy, which runs in front of small servers.

mod compose;
mod image;
mod prometheus;
mod proxy;

use std::{fs, path::Path};

use crate::{
    command::root,
    failure::{Failure, StepResult},
};

/// Checks them one after the other.
pub(crate) fn check() -> StepResult {
    image::check()?;
    compose::check()?;
    prometheus::check()?;
    proxy::check()
}

/// A file of the project.
fn read(path: &str) -> Result<String, Failure> {
    fs::read_to_string(root().join(Path::new(path))).map_err(|error| Failure::new(format!("{path}: {error}")))
}

/// All faults of a file together.
fn none_of(path: &str, faults: &[String]) -> StepResult {
    if faults.is_empty() { Ok(()) } else { Err(Failure::new(format!("{path}:\n  {}", faults.join("\n  ")))) }
}

/// Whether an image is named with a version, at least `1.2`: a tag that moves makes another system of the same files.
fn is_pinned(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    let tag = name.split_once(':').map_or("", |(_, tag)| tag);
    let version = tag.trim_start_matches(|c: char| !c.is_ascii_digit());
    let numbers = version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    image.contains("@sha256:") || version.contains('.') || numbers.len() == "20251229".len()
}

/// Whether a variable's name says that its value is a secret.
fn is_secret(variable: &str) -> bool {
    let upper = variable.to_uppercase();
    let secret = ["PASSWORD", "SECRET", "TOKEN", "_KEY"].iter().any(|word| upper.contains(word));
    secret && !upper.ends_with("_FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_images_have_a_version() {
        for pinned in ["a:1.2", "a:v3.1.0", "quay.io/b/a:2.6.13.Final", "debian:bookworm-20251229-slim", "a@sha256:12"]
        {
            assert!(is_pinned(pinned), "{pinned}");
        }
        for moving in ["a", "a:latest", "a:3", "localhost:5000/a", "debian:bookworm-slim"] {
            assert!(!is_pinned(moving), "{moving}");
        }
    }

    #[test]
    fn secrets_are_told_by_their_names() {
        assert!(is_secret("HINDCAST_BOOTSTRAP_ADMIN_KEY") && is_secret("db_password"));
        assert!(!is_secret("HINDCAST_BOOTSTRAP_ADMIN_KEY_FILE") && !is_secret("GF_SECURITY_ADMIN_PASSWORD__FILE"));
        assert!(!is_secret("KAFKA_NODE_ID"));
    }
}
