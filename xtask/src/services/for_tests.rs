//! The services that all tests of a run share.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Instant,
};

use hindcast_test_services::{Kind, Packages, Temporary};

use super::{Layout, status, up};
use crate::{
    failure::{Failure, StepResult},
    report::say,
};

/// Running services on free ports. They end with this, and with this process however it ends: a second process waits
/// for that.
pub(crate) struct ForTests {
    services: Temporary,
    guard: Guard,
}

impl ForTests {
    /// Starts one node of each.
    pub(crate) fn start() -> Result<Self, Failure> {
        let start = Instant::now();
        let packages = Packages::shared();
        up::get_needs(&Kind::ALL, &packages)?;
        Temporary::sweep(true)?;
        let guard = Guard::start()?;
        let layout = Layout::on_free_ports()?;
        let services = Temporary::start(|folder, packages| up::set_up(&Kind::ALL, &layout, folder, packages))?;
        say(&format!("{}\nready after {:.1} s", status::table(services.nodes()), start.elapsed().as_secs_f64()));
        Ok(Self { services, guard })
    }

    /// Tells tests where they are.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        status::variables(self.services.nodes())
    }

    /// Tells `hindcast` where they are, on top of a configuration for such services.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        status::settings(self.services.nodes())
    }

    /// Ends them; after a failure their logs stay to be read.
    pub(crate) fn end(mut self, failed: bool) -> StepResult {
        if failed {
            self.services.keep();
        }
        drop(self.services);
        // Tests that were killed left theirs.
        self.guard.end();
        Ok(Temporary::sweep(false)?)
    }
}

/// A process that waits for the end of this one, and then ends what it left.
struct Guard(Child);

impl Guard {
    fn start() -> Result<Self, Failure> {
        let start = |this| {
            // A group of its own: Ctrl-C must not end it too. The pipe closes when this process ends, in whatever way.
            Command::new(this).args(["services", "guard"]).stdin(Stdio::piped()).process_group(0).spawn()
        };
        let started = std::env::current_exe().and_then(start);
        started.map(Self).map_err(|error| Failure::new(format!("the guard of the services can't be started: {error}")))
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What that process does.
pub(super) fn guard() -> StepResult {
    let waited = io::copy(&mut io::stdin().lock(), &mut io::sink());
    waited.map_err(|error| Failure::new(format!("standard input can't be read: {error}")))?;
    Ok(Temporary::sweep(false)?)
}
