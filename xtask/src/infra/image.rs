//! The image, by rules of those that hadolint has.

use super::{is_pinned, is_secret, none_of, read};
use crate::failure::StepResult;

const DOCKERFILE: &str = "infra/docker/Dockerfile";

/// Whether the Dockerfile keeps the rules.
pub(super) fn check() -> StepResult {
    let channel = read("rust-toolchain.toml")?;
    let channel = channel.split('"').nth(1).unwrap_or_default();
    none_of(DOCKERFILE, &faults(&read(DOCKERFILE)?, channel))
}

struct Instruction {
    name: String,
    rest: String,
}

/// Instructions with their continuation lines, without comments.
fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let lines = dockerfile.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut whole = Vec::<String>::new();
    let mut continues = false;
    for line in lines {
        let (text, more) = line.strip_suffix('\\').map_or((line, false), |text| (text, true));
        match whole.last_mut().filter(|_| continues) {
            Some(last) => last.push_str(text),
            None => whole.push(text.to_owned()),
        }
        continues = more;
    }
    let split = |text: String| {
        let (name, rest) = text.split_once(' ').unwrap_or((&text, ""));
        Instruction { name: name.to_uppercase(), rest: rest.trim().to_owned() }
    };
    whole.into_iter().map(split).collect()
}

fn faults(dockerfile: &str, rust: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let all = instructions(dockerfile);
    let mut stages = Vec::new();
    for Instruction { name, rest } in &all {
        match name.as_str() {
            "FROM" => {
                let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                let image = words.next().unwrap_or_default();
                if !stages.contains(&image) && !is_pinned(image) {
                    faults.push(format!("FROM {image}: name a version"));
                }
                if image.starts_with("rust:") && !image.starts_with(&format!("rust:{rust}")) {
                    faults.push(format!("FROM {image}: rust-toolchain.toml has {rust}"));
                }
                stages.extend(words.nth(1));
            }
            "RUN" => faults.extend(faults_of_run(rest)),
            "ADD" => faults.push("ADD: COPY what is here; what is elsewhere is not checked".to_owned()),
            "ENTRYPOINT" | "CMD" if !rest.starts_with('[') => {
                faults.push(format!("{name}: give a list; a shell in between swallows signals"));
            }
            "WORKDIR" if !rest.starts_with('/') => faults.push(format!("WORKDIR {rest}: give an absolute path")),
            "ENV" | "ARG" if is_secret(rest.split(['=', ' ']).next().unwrap_or_default()) => {
                faults.push(format!("{name} {rest}: a secret stays in the image"));
            }
            _ => {}
        }
    }
    let last_stage = all.iter().rposition(|instruction| instruction.name == "FROM").unwrap_or(0);
    let last = all.get(last_stage..).unwrap_or_default();
    let user = last.iter().rfind(|instruction| instruction.name == "USER").map_or("", |user| user.rest.as_str());
    if !user.starts_with(|first: char| ('1'..='9').contains(&first)) {
        faults
            .push("the last stage needs a USER by number, not root: Kubernetes can't tell a name from root".to_owned());
    }
    if !last.iter().any(|instruction| instruction.name == "HEALTHCHECK") {
        faults.push("the last stage needs a HEALTHCHECK".to_owned());
    }
    faults
}

fn faults_of_run(shell: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if shell.contains("apt-get install") {
        for needed in ["apt-get update", "--yes", "--no-install-recommends", "rm -rf /var/lib/apt/lists"] {
            if !shell.contains(needed) {
                faults.push(format!("RUN apt-get install without `{needed}`"));
            }
        }
    }
    for bad in ["sudo ", "| sh", "| bash", "curl ", "wget "] {
        if shell.contains(bad) {
            faults.push(format!("RUN with `{}`: what it fetches or gains is not checked", bad.trim()));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_named() {
        let bad = "FROM rust:1.2.3 AS build\nFROM debian\nADD http://example.org/a /a\nRUN apt-get install a\n\
                   ENV DB_PASSWORD=x\nWORKDIR a\nUSER root\nCMD a";
        let faults = faults(bad, "1.95.0");
        for word in [
            "rust-toolchain",
            "FROM debian",
            "ADD",
            "--yes",
            "--no-install",
            "lists",
            "DB_PASSWORD",
            "WORKDIR",
            "CMD",
            "USER",
            "HEALTHCHECK",
        ] {
            assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:#?}");
        }
    }

    #[test]
    fn a_good_one_has_none() {
        let good = "FROM rust:1.95.0-slim AS build\nRUN apt-get update \\\n  # why\n  && apt-get install --yes --no-install-recommends a \\\n\
                    && rm -rf /var/lib/apt/lists/*\nFROM build\nWORKDIR /a\nUSER 10001:10001\nHEALTHCHECK CMD [\"a\"]\nCMD [\"a\"]";
        assert_eq!(faults(good, "1.95.0"), [""; 0]);
    }
}
