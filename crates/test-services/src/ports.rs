//! Ports for services that tests start for themselves.

use std::{
    net::{Ipv4Addr, TcpListener},
    process,
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::error::Error;

/// Below what Linux gives to outgoing connections, so that none of them takes a port between the look and its use.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
/// How far apart processes begin to look.
const STRIDE: u16 = 40;

const FORK_LIMIT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// What this process has given out: a port is free only until it is used, which takes a service some seconds.
static GIVEN: AtomicU16 = AtomicU16::new(0);

/// The first of some ports in a row that nobody listens on.
///
/// # Errors
/// When there are none.
pub fn free(count: u16) -> Result<u16, Error> {
    let begin = u16::try_from(u64::from(process::id()) * u64::from(STRIDE) % u64::from(COUNT)).unwrap_or(0);
    for _ in 0..COUNT {
        let given = GIVEN.fetch_add(count.max(1), Ordering::Relaxed);
        let first = FIRST + begin.wrapping_add(given) % COUNT;
        if (first..first.saturating_add(count)).all(is_free) {
            return Ok(first);
        }
    }
    Err(Error::new(format!("no {count} ports in a row are free on 127.0.0.1")))
}

/// Whether nobody listens on a port of this machine.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Like [`is_free`], but waits a moment: a process that was just forked holds all sockets until it begins its own
/// program.
pub(crate) fn becomes_free(port: u16) -> bool {
    let deadline = Instant::now() + FORK_LIMIT;
    while !is_free(port) {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let (one, other) = (free(3).unwrap(), free(3).unwrap());
        assert!(one.abs_diff(other) >= 3, "{one} {other}");
        // Other tests of this process fork, and a fork holds what `free` tried for a moment.
        let deadline = Instant::now() + FORK_LIMIT;
        let taken = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, one)) {
                Ok(taken) => break taken,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(POLL);
        };
        assert!(!is_free(one));
        drop(taken);
        assert!(becomes_free(one));
    }
}
