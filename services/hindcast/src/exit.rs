//! How a command ends: what it prints and which exit code the caller sees.

use std::{fmt, io::Write, process::ExitCode};

/// How a command that ran to its end went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is done: exit code 0.
    Done,
    /// A verification ran to its end and found differences, which it has printed: exit code 3.
    Differences,
}

/// Why a command did not run to its end, as one line for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    message: String,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const DIFFERENCES: u8 = 3;

impl Failure {
    /// The command could not do what it was asked for: exit code 1. The message says what to do about it.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self { code: FAILED, message: message.to_string() }
    }

    /// The command was asked for something that makes no sense, such as an unknown configuration key: exit code 2.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { code: USAGE, message: message.to_string() }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints why a command failed, if it did, and gives its exit code.
pub fn report(result: Result<Outcome, Failure>) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Differences) => ExitCode::from(DIFFERENCES),
        Err(failure) => {
            // Standard error may be closed; then nobody is there to read it and the exit code has to do.
            let _ = writeln!(std::io::stderr().lock(), "error: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        assert_eq!(Failure::failed("x").code(), 1);
        assert_eq!(Failure::usage("x").code(), 2);
        assert_eq!(format!("{:?}", report(Ok(Outcome::Differences))), format!("{:?}", ExitCode::from(3)));
        assert_eq!(format!("{:?}", report(Ok(Outcome::Done))), format!("{:?}", ExitCode::SUCCESS));
    }
}
