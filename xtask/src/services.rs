//! Kafka, Cassandra and the registry on this machine, for trying things out and for tests.

mod for_tests;
mod layout;
mod one;
mod status;
mod up;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::{Args, Subcommand, ValueEnum};
pub(crate) use for_tests::ForTests;
use hindcast_test_services::{Instance, Kind, run_folder};
use layout::{Layout, Ports};
use up::up;

use crate::{failure::Failure, report::say};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Start them and wait until they answer; those that run already stay as they are
    Up {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        ports: Ports,
    },
    /// Stop what `up` has started in this folder, and nothing else; data stays
    Down {
        #[command(flatten)]
        chosen: Chosen,
        /// Remove their data too
        #[arg(long)]
        wipe: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Show what runs where
    Status {
        /// For programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print the variables that tell tests where the services are, for `eval`
    Env {
        #[command(flatten)]
        place: Place,
    },
    /// SIGKILL a node (`kafka-2`, `cassandra`, …): nothing is flushed
    Kill(one::One),
    /// SIGSTOP a node: it holds its connections and answers nothing
    Pause(one::One),
    /// SIGCONT a paused node
    Resume(one::One),
    /// Stop a node if it runs, and start it again with its data
    Restart(one::One),
    /// Wait for the end of standard input, then end services of tests whose process has ended
    #[command(hide = true)]
    Guard,
}

/// Which services.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// These alone; all without
    #[arg(value_enum, value_name = "SERVICE")]
    services: Vec<Service>,
}

/// Where they are kept.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder of their data; several run side by side in folders and on ports of their own
    #[arg(long, value_name = "DIR", default_value_os_t = run_folder().join("default"), hide_default_value = true)]
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    Kafka,
    Cassandra,
    Registry,
}

impl Chosen {
    fn kinds(&self) -> Vec<Kind> {
        let kind = |service: &Service| match service {
            Service::Kafka => Kind::Kafka,
            Service::Cassandra => Kind::Cassandra,
            Service::Registry => Kind::Registry,
        };
        if self.services.is_empty() { Kind::ALL.to_vec() } else { self.services.iter().map(kind).collect() }
    }
}

impl Place {
    /// Absolute: it is written into configurations of programs that run elsewhere.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        std::path::absolute(&self.dir).map_err(|error| Failure::new(format!("{}: {error}", self.dir.display())))
    }

    fn open(&self) -> Result<Instance, Failure> {
        Ok(Instance::open(&self.folder()?)?)
    }
}

/// Does it.
pub(crate) fn run(action: &Action) -> ExitCode {
    let start = Instant::now();
    let done = match action {
        Action::Up { chosen, place, ports } => {
            place.folder().and_then(|folder| up(&folder, &chosen.kinds(), &ports.layout())).map(|instance| {
                say(&format!(
                    "{}\nready after {:.1} s",
                    status::table(instance.nodes()),
                    start.elapsed().as_secs_f64()
                ));
            })
        }
        Action::Down { chosen, wipe, place } => down(place, &chosen.kinds(), *wipe)
            .map(|()| say(&format!("stopped after {:.1} s", start.elapsed().as_secs_f64()))),
        Action::Status { json, place } => place.open().and_then(|instance| status::show(&instance, *json)),
        Action::Env { place } => place.open().map(|instance| say(&status::exports(&instance))),
        Action::Kill(one) => one.with(|node| node.kill()),
        Action::Pause(one) => one.with(|node| node.pause()),
        Action::Resume(one) => one.with(|node| node.resume()),
        Action::Guard => for_tests::guard(),
        Action::Restart(one) => one.with(|node| node.stop().and_then(|()| node.start())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn down(place: &Place, kinds: &[Kind], wipe: bool) -> Result<(), Failure> {
    let mut instance = place.open()?;
    Ok(if wipe { instance.remove(kinds) } else { instance.stop(kinds) }?)
}
