//! What steps need beyond the compiler, and how to get it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use hindcast_test_services::run_folder;

use crate::{
    command::{cargo, program, root},
    failure::{Failure, StepResult},
    report::say,
};

/// A component of the toolchain that is there under a sub-command of cargo. Added if rustup can do that.
pub(crate) fn component(component: &str, sub_command: &str) -> StepResult {
    if cargo([sub_command, "--version"]).succeeds() {
        return Ok(());
    }
    let add = ["component", "add", component];
    say(&format!("{component} is missing; trying `rustup {}`", add.join(" ")));
    // rustup is no part of a distribution's own packages of Rust; then there is nothing more to try.
    if program(Path::new("rustup"), add).run().is_ok() && cargo([sub_command, "--version"]).succeeds() {
        return Ok(());
    }
    Err(missing(component))
}

/// The real market data that some tests read. It is beside the project, not a part of it.
const REAL_DATA: [&str; 2] = ["es_1min.csv.gz", "es_experiences.jsonl"];

/// Whether the tests on real market data can run.
pub(crate) fn real_data_is_there() -> bool {
    REAL_DATA.iter().all(|file| real_data_folder().join(file).is_file())
}

/// Tells where real market data is absent: tests on it are ignored then. In CI it must be there.
pub(crate) fn real_data() -> StepResult {
    if real_data_is_there() {
        return Ok(());
    }
    let told =
        format!("the real market data ({}) is absent from {}", REAL_DATA.join(", "), real_data_folder().display());
    if std::env::var_os("CI").is_some() {
        return Err(
            Failure::new(told).with_remedy("CI runs every test: put it there, or unset CI to leave those tests out")
        );
    }
    say(&format!("{told}: the tests on it are ignored; the demo and the benchmarks have a market of their own"));
    Ok(())
}

fn real_data_folder() -> PathBuf {
    root().join("../shared/data")
}

/// The Java that the services run on.
pub(crate) fn java() -> StepResult {
    if hindcast_test_services::java().is_ok() {
        return Ok(());
    }
    debian_package("openjdk-17-jre-headless");
    hindcast_test_services::java().map(drop).map_err(Failure::from)
}

/// What fetches the services' jars.
pub(crate) fn maven() -> StepResult {
    program_of("mvn", "--version", "maven")
}

/// What encrypted connections to Kafka are built with.
pub(crate) fn openssl_headers() -> StepResult {
    let is_there = || program(Path::new("pkg-config"), ["--exists", "openssl"]).succeeds();
    if is_there() {
        return Ok(());
    }
    debian_package("pkg-config");
    debian_package("libssl-dev");
    if is_there() {
        return Ok(());
    }
    Err(Failure::new("the headers of OpenSSL are missing")
        .with_remedy("on Debian: apt-get install pkg-config libssl-dev"))
}

/// A program, out of a package of Debian if it is missing.
pub(crate) fn program_of(name: &str, harmless: &str, package: &str) -> StepResult {
    let is_there = || program(Path::new(name), [harmless]).succeeds();
    if is_there() {
        return Ok(());
    }
    debian_package(package);
    if is_there() {
        return Ok(());
    }
    Err(Failure::new(format!("{name} is missing")).with_remedy(format!("on Debian: apt-get install {package}")))
}

/// Compose: Docker's plugin or the program of its own, and what stands before its arguments.
pub(crate) fn compose() -> Result<(PathBuf, Option<&'static str>), Failure> {
    let docker = Path::new("docker");
    if program(docker, ["compose", "version"]).succeeds() {
        return Ok((docker.to_owned(), Some("compose")));
    }
    program_of("docker-compose", "version", "docker-compose")?;
    Ok((PathBuf::from("docker-compose"), None))
}

/// What checks Prometheus' files. Unpacked instead of installed: the package would start a server.
pub(crate) fn promtool() -> Result<PathBuf, Failure> {
    let folder = run_folder().join("tools");
    for found in [PathBuf::from("promtool"), folder.join("usr/bin/promtool")] {
        if program(&found, ["--version"]).succeeds() {
            return Ok(found);
        }
    }
    say("promtool is missing; trying to unpack Debian's package prometheus");
    let script = "mkdir -p \"$0\" && cd \"$0\" && { apt-get download prometheus || { apt-get update --quiet=2 && apt-get download prometheus; }; } \
                  && dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb";
    let unpacked = program(Path::new("sh"), [OsStr::new("-c"), OsStr::new(script), folder.as_os_str()]).run();
    let promtool = folder.join("usr/bin/promtool");
    if unpacked.is_ok() && program(&promtool, ["--version"]).succeeds() {
        return Ok(promtool);
    }
    Err(Failure::new("promtool is missing")
        .with_remedy("it is part of Prometheus; on Debian in the package prometheus"))
}

/// Installs a package if this is Debian and whoever runs this may. Whether it helped is for the caller to see.
fn debian_package(package: &str) {
    let root = program(Path::new("id"), ["-u"]).output().is_ok_and(|id| id.trim() == "0");
    if !root || !Path::new("/etc/debian_version").exists() {
        return;
    }
    say(&format!("{package} is missing; trying apt-get install"));
    let install = ["apt-get", "install", "--yes", "--no-install-recommends", "--quiet=2", package];
    let quiet = ["DEBIAN_FRONTEND=noninteractive"];
    let tried = || program(Path::new("env"), quiet.iter().chain(&install)).run();
    // The list of packages may be missing or older than what the mirror has.
    if tried().is_err() && program(Path::new("apt-get"), ["update", "--quiet=2"]).run().is_ok() {
        let _ = tried();
    }
}

fn missing(component: &str) -> Failure {
    Failure::new(format!("{component} is missing")).with_remedy(format!(
        "get it with `rustup component add {component}` (rustup: https://rustup.rs), or from where this Rust came from"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_to_get_what_is_missing() {
        let missing = missing("clippy").to_string();
        assert!(missing.contains("`rustup component add clippy`"), "{missing}");
    }
}
