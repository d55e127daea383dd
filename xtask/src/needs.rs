//! What steps need beyond the compiler, and how to get it.

use std::path::Path;

use crate::{
    command::{cargo, program},
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
