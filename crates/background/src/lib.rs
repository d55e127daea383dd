//! Threads that give way.
//!
//! The embedded engines write tables and merge them on threads of their own, in bursts of tens of milliseconds. Nobody
//! waits for that work, but on a machine with few cores everybody waits for the cores that it takes (ADR 0025).

use std::{panic::resume_unwind, thread};

/// How much such threads give way, as `nice` counts it: beside one that gives way to nobody, a thread gets a tenth of a
/// core. It must get on: what is written to a log is held in memory until it is in a table.
const NICENESS: i32 = 10;

/// Does something on a thread that gives way. So do all threads that it starts, as long as they live.
///
/// Only Linux knows that of threads; elsewhere they are as all others.
///
/// # Panics
/// If `start` panics, with what it panicked with, or if no thread can be started.
pub fn giving_way<T: Send>(start: impl FnOnce() -> T + Send) -> T {
    let on_a_thread = || {
        give_way();
        start()
    };
    thread::scope(|scope| scope.spawn(on_a_thread).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(target_os = "linux")]
fn give_way() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "background work can't give way to requests; they may take longer");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)] // tests

    use std::{panic::catch_unwind, thread};

    use super::{NICENESS, giving_way};

    fn niceness() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[test]
    fn threads_that_are_started_give_way_and_the_caller_does_not() {
        let before = niceness();
        let started = giving_way(|| thread::spawn(niceness)).join().unwrap();
        assert_eq!(started, (before + NICENESS).min(19));
        assert_eq!(niceness(), before);
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let panicked = catch_unwind(|| giving_way(|| std::panic::panic_any("broken")));
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"broken"));
    }
}
