//! Other programs, run from the root of the project.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::Read,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::failure::{Failure, StepResult};

/// How often a program with a time limit is looked at.
const POLL: Duration = Duration::from_millis(20);

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// A program and its arguments.
#[derive(Debug)]
pub(crate) struct Program {
    shown: String,
    command: Command,
}

/// The cargo that this was started with, or the one on the path.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Program {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    Program::new("cargo", cargo, arguments)
}

/// Any program.
pub(crate) fn program<A: AsRef<OsStr>>(path: &Path, arguments: impl IntoIterator<Item = A>) -> Program {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string());
    Program::new(&name, path, arguments)
}

impl Program {
    fn new<A: AsRef<OsStr>>(name: &str, path: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut shown = name.to_owned();
        let mut command = Command::new(path);
        for argument in arguments {
            shown = format!("{shown} {}", argument.as_ref().display());
            command.arg(argument);
        }
        command.current_dir(root()).stdin(Stdio::null());
        // What somebody has set for the service of theirs must not decide how a test goes.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HINDCAST_")) {
            command.env_remove(name);
        }
        Self { shown, command }
    }

    /// Sets variables of its environment.
    pub(crate) fn env(mut self, variables: &[(&str, String)]) -> Self {
        self.command.envs(variables.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Runs it; what it prints is seen as it comes.
    pub(crate) fn run(mut self) -> StepResult {
        let status = self.command.status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}`: {status}", self.shown))) }
    }

    /// Whether it can be started and succeeds. What it prints is not seen.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Runs it and gives what it printed; errors are seen as they come.
    pub(crate) fn output(mut self) -> Result<String, Failure> {
        let output = self.command.stderr(Stdio::inherit()).output().map_err(|error| self.not_started(&error))?;
        self.printed(output.status.success(), &output.status.to_string(), output.stdout)
    }

    /// Like [`Self::output`], but ended when the time is over.
    pub(crate) fn output_within(mut self, limit: Duration) -> Result<String, Failure> {
        let mut child = self.command.stdout(Stdio::piped()).spawn().map_err(|error| self.not_started(&error))?;
        // Read beside waiting: a full pipe would stop the program.
        let reader = child.stdout.take().map(|stdout| thread::spawn(move || read_all(stdout)));
        let ended = wait(&mut child, Instant::now() + limit);
        let printed = reader.map(thread::JoinHandle::join).and_then(Result::ok).unwrap_or_default();
        match ended {
            Some(status) => self.printed(status.success(), &status.to_string(), printed),
            None => Err(Failure::new(format!("`{}` did not end within {} s", self.shown, limit.as_secs()))),
        }
    }

    fn printed(&self, success: bool, status: &str, printed: Vec<u8>) -> Result<String, Failure> {
        if !success {
            return Err(Failure::new(format!("`{}`: {status}", self.shown)));
        }
        String::from_utf8(printed).map_err(|_| Failure::new(format!("`{}` printed what is no text", self.shown)))
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        Failure::new(format!("`{}` can't be started: {error}", self.shown))
    }
}

fn read_all(mut from: ChildStdout) -> Vec<u8> {
    let mut all = Vec::new();
    // Broken off when the program ends; what came until then is what there is to judge.
    let _ = from.read_to_end(&mut all);
    all
}

/// The status, or nothing if it had to be ended.
fn wait(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            _ => break,
        }
    }
    // It may have ended by itself just now; either way nothing is left behind.
    let _ = child.kill();
    let _ = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Program {
        program(Path::new("sh"), ["-c", script])
    }

    #[test]
    fn says_what_failed() {
        assert_eq!(sh("exit 0").run(), Ok(()));
        assert_eq!(sh("exit 3").run().unwrap_err().to_string(), "`sh -c exit 3`: exit status: 3");
        let missing = program(Path::new("no-such-program"), ["now"]).run().unwrap_err().to_string();
        assert!(missing.starts_with("`no-such-program now` can't be started"), "{missing}");
    }

    #[test]
    fn gives_what_was_printed() {
        assert_eq!(sh("printf yes").output().as_deref(), Ok("yes"));
        assert_eq!(sh("printf yes").output_within(Duration::from_secs(60)).as_deref(), Ok("yes"));
        assert!(sh("printf yes; exit 1").output_within(Duration::from_secs(60)).is_err());
        // More than a pipe holds.
        let long = sh("head -c 300000 /dev/zero | tr '\\0' x").output_within(Duration::from_secs(60)).unwrap();
        assert_eq!(long.len(), 300_000);
    }

    #[test]
    fn ends_what_does_not_end() {
        let start = Instant::now();
        let late = program(Path::new("sleep"), ["60"]).output_within(Duration::from_millis(50)).unwrap_err();
        assert!(late.to_string().contains("did not end"), "{late}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
