//! One process of a service: how it is started, whether it answers, how it ends.

use std::{
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::{Kind, error::Error, ports, probe::Probe, process::ProcessId};

/// How often a node that starts is asked.
const POLL: Duration = Duration::from_millis(100);
/// How long a node may take to answer: twenty times what it takes on two idle cores, for they seldom are.
const START_LIMIT: Duration = Duration::from_secs(240);
/// How long a node may take to end by itself.
const STOP_LIMIT: Duration = Duration::from_secs(40);
/// How long the system may take to end it.
const KILL_LIMIT: Duration = Duration::from_secs(20);
/// How much of the log is shown when a node fails to start, lines.
const SHOWN_LINES: usize = 15;

/// What is known of a node, kept as `node.json` in its folder, so that another process can go on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) version: String,
    /// Where clients find it.
    pub(crate) address: SocketAddr,
    /// Further ports that it listens on.
    pub(crate) inner_ports: Vec<u16>,
    pub(crate) command: Vec<String>,
    pub(crate) probe: Probe,
    /// The process last started, which may have ended.
    pub(crate) process: Option<ProcessId>,
}

/// One process of a service.
#[derive(Debug)]
pub struct Node {
    folder: PathBuf,
    facts: Facts,
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// There is no process.
    Stopped,
    /// There is one, and it answers.
    Ready,
    /// There is one, and it does not answer.
    Silent,
    /// There is one, and it was stopped by a signal.
    Paused,
}

impl State {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Ready => "ready",
            Self::Silent => "silent",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Node {
    /// A node that was set up in a folder before.
    pub(crate) fn load(folder: &Path) -> Result<Option<Self>, Error> {
        let file = folder.join("node.json");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(&file, &error)),
        };
        let facts = serde_json::from_str(&text).map_err(|error| {
            Error::new(format!("{}: {error}", file.display()))
                .with_remedy("another version of this program wrote it: end its process by hand and remove the folder")
        })?;
        Ok(Some(Self { folder: folder.to_owned(), facts }))
    }

    /// A node that is set up, or as it was if nothing about it changes. One that runs is not changed.
    pub(crate) fn set_up(folder: &Path, facts: Facts) -> Result<Self, Error> {
        let mut node = Self { folder: folder.to_owned(), facts };
        if let Some(before) = Self::load(folder)? {
            if before.is_alive() && (Facts { process: None, ..before.facts.clone() }) != node.facts {
                let name = before.name();
                return Err(Error::new(format!("{name} runs at {} with other settings", before.address()))
                    .with_remedy("stop it first, or use another folder and other ports beside it"));
            }
            node.facts.process = before.facts.process;
        }
        node.save()?;
        Ok(node)
    }

    /// Its name, such as `kafka-1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.facts.kind
    }

    /// The version of the service.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.facts.version
    }

    /// Where clients find it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.facts.address
    }

    /// Its folder: configuration, data, `log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it printed since it was last started.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The number of its process, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.facts.process.filter(|process| process.is_alive()).map(|process| process.pid)
    }

    /// How it is now.
    #[must_use]
    pub fn state(&self) -> State {
        match self.facts.process {
            Some(process) if process.is_paused() => State::Paused,
            Some(process) if process.is_alive() => match self.facts.probe.ask(self.address()) {
                Ok(()) => State::Ready,
                Err(_) => State::Silent,
            },
            _ => State::Stopped,
        }
    }

    /// Starts it, if it does not run, and waits until it answers.
    ///
    /// # Errors
    /// When its ports are taken, or it ends or does not answer in time; with the end of its log.
    pub fn start(&mut self) -> Result<(), Error> {
        self.launch()?;
        self.wait_until_ready()
    }

    /// Starts it, if it does not run, and does not wait.
    ///
    /// # Errors
    /// When its ports are taken or Java can't be started.
    pub fn launch(&mut self) -> Result<(), Error> {
        if self.is_alive() {
            return self.resume();
        }
        let mut ports = std::iter::once(self.address().port()).chain(self.facts.inner_ports.iter().copied());
        if let Some(port) = ports.find(|port| !ports::becomes_free(*port)) {
            return Err(Error::new(format!("{} can't start: something else listens on 127.0.0.1:{port}", self.name()))
                .with_remedy(format!("`ss -ltnp 'sport = :{port}'` tells what; end it or choose another port")));
        }
        self.facts.process = Some(ProcessId::start(&self.facts.command, &self.folder, &self.log())?);
        self.save()
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// When it ends or does not answer in time; with the end of its log.
    pub fn wait_until_ready(&self) -> Result<(), Error> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let Err(silence) = self.facts.probe.ask(self.address()) else { return Ok(()) };
            let why = if !self.is_alive() {
                "ended while it started".to_owned()
            } else if Instant::now() >= deadline {
                format!("does not answer at {} after {} s: {silence}", self.address(), START_LIMIT.as_secs())
            } else {
                thread::sleep(POLL);
                continue;
            };
            return Err(Error::new(format!("{} {why}\n{}", self.name(), self.log_end())).with_remedy(format!(
                "the whole log is in {}; if its data is damaged, stop it and remove {}",
                self.log().display(),
                self.folder.display()
            )));
        }
    }

    /// Lets it end by itself, and ends it if that takes too long.
    ///
    /// # Errors
    /// When the system does not end it.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.terminate()?;
        self.wait_until_ended()
    }

    /// Tells it to end, and does not wait.
    pub(crate) fn terminate(&self) -> Result<(), Error> {
        let Some(process) = self.facts.process else { return Ok(()) };
        process.signal(Signal::TERM)?;
        // A paused process hears nothing.
        process.signal(Signal::CONT)
    }

    /// Waits for the end that [`Self::terminate`] began.
    pub(crate) fn wait_until_ended(&mut self) -> Result<(), Error> {
        match self.facts.process {
            Some(process) if !process.ends_within(STOP_LIMIT) => self.kill(),
            _ => self.forget(),
        }
    }

    /// SIGKILL: nothing is flushed, nobody is told. Its data stays.
    ///
    /// # Errors
    /// When the system does not end it.
    pub fn kill(&mut self) -> Result<(), Error> {
        if let Some(process) = self.facts.process {
            process.signal(Signal::KILL)?;
            if !process.ends_within(KILL_LIMIT) {
                return Err(Error::new(format!("process {} of {} does not end", process.pid, self.name())));
            }
        }
        self.forget()
    }

    /// SIGSTOP: it answers no more and holds its connections open, until [`Self::resume`]. Returns once none of its
    /// threads runs.
    ///
    /// # Errors
    /// When the signal can't be sent or is not obeyed.
    pub fn pause(&self) -> Result<(), Error> {
        self.facts.process.map_or(Ok(()), |process| process.pause(KILL_LIMIT))
    }

    /// SIGCONT: it goes on as if nothing had been.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn resume(&self) -> Result<(), Error> {
        self.facts.process.map_or(Ok(()), |process| process.signal(Signal::CONT))
    }

    /// Kills it and removes its data. A registry or Cassandra begins anew with the next start; a node of Kafka has to
    /// be set up again before that.
    ///
    /// # Errors
    /// When it does not end or its data can't be removed.
    pub fn lose_data(&mut self) -> Result<(), Error> {
        self.kill()?;
        remove(&self.folder.join("data"))
    }

    /// Kills it and removes its folder: it has to be set up again.
    ///
    /// # Errors
    /// When it does not end or its folder can't be removed.
    pub fn remove(mut self) -> Result<(), Error> {
        self.kill()?;
        remove(&self.folder)
    }

    fn is_alive(&self) -> bool {
        self.facts.process.is_some_and(ProcessId::is_alive)
    }

    fn forget(&mut self) -> Result<(), Error> {
        self.facts.process = None;
        self.save()
    }

    fn save(&self) -> Result<(), Error> {
        let (file, new) = (self.folder.join("node.json"), self.folder.join("node.json.new"));
        let text = serde_json::to_string_pretty(&self.facts).map_err(|error| Error::new(error.to_string()))?;
        // Whole or not at all: without it nobody knows what to stop.
        fs::write(&new, text).and_then(|()| fs::rename(&new, &file)).map_err(|error| Error::file(&file, &error))
    }

    fn log_end(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<_> = text.lines().collect();
        let end = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
        end.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
    }
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(folder, &error)),
        _ => Ok(()),
    }
}
