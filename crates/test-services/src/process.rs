//! Processes that outlive whoever started them, told apart from later ones of the same number.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How often a process that should end is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A process: its number, and when it began, for numbers are given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) pid: i32,
    /// Clock ticks since the machine started.
    started_ticks: u64,
}

/// What the system says of a process.
#[derive(Clone, Copy)]
struct Stat {
    state: char,
    threads: u32,
    started_ticks: u64,
}

impl ProcessId {
    /// Starts a program in a process group of its own, so that Ctrl-C at a terminal does not reach it; what it prints
    /// goes to a file.
    pub(crate) fn start(command: &[String], folder: &Path, log: &Path) -> Result<Self, Error> {
        let (program, arguments) = command.split_first().ok_or_else(|| Error::new("there is nothing to start"))?;
        let out = File::create(log).map_err(|error| Error::file(log, &error))?;
        let err = out.try_clone().map_err(|error| Error::file(log, &error))?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(|error| Error::new(format!("{program} can't be started: {error}")))?;
        let pid = i32::try_from(child.id()).map_err(|_| Error::new("the process has a number that is none"))?;
        let stat = Stat::of(pid).ok_or_else(|| Error::new(format!("process {pid} can't be looked at in /proc")))?;
        // Whoever is still there when it ends has to take note, else it stays in the table of processes.
        thread::spawn(move || child.wait());
        Ok(Self { pid, started_ticks: stat.started_ticks })
    }

    /// The process that asks.
    pub(crate) fn own() -> Option<Self> {
        let pid = i32::try_from(std::process::id()).ok()?;
        Stat::of(pid).map(|stat| Self { pid, started_ticks: stat.started_ticks })
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(self) -> bool {
        self.stat().is_some()
    }

    /// Whether it is alive and stopped by a signal, all its threads.
    pub(crate) fn is_paused(self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().filter_map(Result::ok);
        let mut states = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
        self.is_alive() && states.all(|stat| Stat::parse(&stat).is_none_or(|stat| stat.state == 'T'))
    }

    /// Stops it with a signal and waits until its threads have: each does when it gets to run next.
    pub(crate) fn pause(self, limit: Duration) -> Result<(), Error> {
        self.signal(Signal::STOP)?;
        let deadline = Instant::now() + limit;
        while self.is_alive() && !self.is_paused() {
            if Instant::now() >= deadline {
                return Err(Error::new(format!("process {} does not stop", self.pid)));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Sends a signal, unless it has ended.
    pub(crate) fn signal(self, signal: Signal) -> Result<(), Error> {
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) else { return Ok(()) };
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::new(format!("process {} can't be sent a signal: {error}", self.pid))),
        }
    }

    /// Waits for the end; whether it came in time.
    pub(crate) fn ends_within(self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    fn stat(self) -> Option<Stat> {
        Stat::of(self.pid).filter(|stat| stat.started_ticks == self.started_ticks && !stat.has_ended())
    }
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// A zombie has ended, and only its parent has not taken note yet. But one of several threads is a first thread that
    /// ended before the others, which still hold ports and files.
    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }

    /// `PID (NAME) STATE …`: fields 3, 20 and 22 of proc(5). The name may hold anything, brackets too.
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let state = fields.next()?.chars().next()?;
        let threads = fields.nth(16)?.parse().ok()?;
        let started_ticks = fields.nth(1)?.parse().ok()?;
        Some(Self { state, threads, started_ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleep(folder: &Path) -> ProcessId {
        ProcessId::start(&["sleep".to_owned(), "60".to_owned()], folder, &folder.join("log")).unwrap()
    }

    #[test]
    fn processes_are_paused_resumed_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleep(folder.path());
        assert!(process.is_alive() && !process.is_paused());
        process.pause(Duration::from_secs(10)).unwrap();
        assert!(!process.ends_within(Duration::from_millis(50)) && process.is_paused());
        process.signal(Signal::CONT).unwrap();
        process.signal(Signal::TERM).unwrap();
        assert!(process.ends_within(Duration::from_secs(10)));
        // Once more does nothing.
        process.signal(Signal::KILL).unwrap();
    }

    #[test]
    fn a_later_process_of_the_same_number_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleep(folder.path());
        let earlier = ProcessId { started_ticks: process.started_ticks - 1, ..process };
        assert!(!earlier.is_alive());
        earlier.signal(Signal::KILL).unwrap();
        assert!(!process.ends_within(Duration::from_millis(100)));
        process.signal(Signal::KILL).unwrap();
        assert!(process.ends_within(Duration::from_secs(10)));
    }

    #[test]
    fn stat_is_read_whatever_the_name() {
        let stat = Stat::parse("7 (a) R (b) T 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 4321 99 5").unwrap();
        assert_eq!((stat.state, stat.threads, stat.started_ticks), ('T', 3, 4_321));
        assert!(!stat.has_ended() && !Stat { state: 'Z', ..stat }.has_ended());
        assert!(Stat { state: 'Z', threads: 1, ..stat }.has_ended());
        assert!(Stat::parse("7 (a").is_none());
    }
}
