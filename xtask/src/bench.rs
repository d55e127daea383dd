//! A short run of each benchmark, to see that it works: on the embedded engine, and on the services that the tests have.
//! Nothing is asserted about time: machines differ, and this is the build of the tests, not the one that is measured.

mod measured;

use std::{path::PathBuf, time::Duration};

use measured::Measured;
use serde::Deserialize;

use crate::{
    command::{Program, program},
    every_test::cargo_test,
    failure::{Failure, StepResult},
    report::say,
};

/// How long each measures.
const SECONDS: &str = "1";
/// How long each may take in all: filling books and starting what it is compared with come on top.
const LIMIT: Duration = Duration::from_secs(180);

/// The configuration of the services that `cargo xtask services` starts; where those of the tests are is told beside it.
const ON_SERVICES: [&str; 2] = ["--config", "infra/local/kafka.toml"];

/// Runs all that the binary has on the embedded engine.
pub(crate) fn run_all() -> StepResult {
    run_each(&[], &[])
}

/// Runs all that the binary has on services; the variables say where they are.
pub(crate) fn run_all_on(services: &[(&str, String)]) -> StepResult {
    run_each(&ON_SERVICES, services)
}

fn run_each(arguments: &[&str], environment: &[(&str, String)]) -> StepResult {
    let hindcast = binary()?;
    let list = program(&hindcast, ["bench", "--list"]).output_within(LIMIT)?;
    let names = names(&list);
    if names.is_empty() {
        return Err(Failure::new("`hindcast bench --list` names no benchmark"));
    }
    names.iter().try_for_each(|name| {
        let arguments = ["bench", name, "--seconds", SECONDS, "--json"].into_iter().chain(arguments.iter().copied());
        run(program(&hindcast, arguments).env(environment), name)
    })
}

fn run(bench: Program, name: &str) -> StepResult {
    let json = bench.output_within(LIMIT)?;
    let measured = Measured::parse(name, &json).map_err(|detail| Failure::new(format!("bench {name}: {detail}")))?;
    say(&measured.to_string());
    Ok(())
}

/// The first word of each line.
fn names(list: &str) -> Vec<&str> {
    list.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

/// The binary that the tests were run with: building them again changes nothing when they are up to date, and building
/// the binary alone would compile much of it a second time with other features.
fn binary() -> Result<PathBuf, Failure> {
    let messages = cargo_test(["--no-run", "--message-format", "json-render-diagnostics"]).output()?;
    executable(&messages).ok_or_else(|| Failure::new("the build of the tests has no binary `hindcast`"))
}

/// One line of what cargo prints while it builds.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let binaries = messages.filter(|message| {
        message.target.as_ref().is_some_and(|target| target.name == "hindcast" && target.kind == ["bin"])
    });
    // The tests of the binary's own main file are an executable of the same target, in the folder `deps`.
    binaries.filter_map(|message| message.executable).find(|path| path.parent().is_some_and(|at| !at.ends_with("deps")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_first_words() {
        assert_eq!(names("confidence  POST /v1/confidence\n\ningest\n"), ["confidence", "ingest"]);
    }

    #[test]
    fn the_binary_is_not_its_unit_tests() {
        let messages = [
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"hindcast"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"hindcast"},"executable":"/t/debug/deps/hindcast-1"}"#,
            r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"hindcast"},"executable":"/t/debug/hindcast"}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ];
        assert_eq!(executable(&messages.join("\n")), Some(PathBuf::from("/t/debug/hindcast")));
        assert_eq!(executable(messages[1]), None);
    }
}
