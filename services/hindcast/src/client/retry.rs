//! How long and how often something is sent again.

use std::time::{Duration, Instant};

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long something is sent again before it fails.
#[derive(Debug, Clone, Copy)]
pub struct RetryLimits {
    /// From the first attempt on.
    pub patience: Duration,
}

impl RetryLimits {
    /// For a person who waits at a terminal.
    #[must_use]
    pub const fn interactive() -> Self {
        Self { patience: Duration::from_secs(10) }
    }

    /// For bulk work that ought to outlive a restart of the server and its rate limit.
    #[must_use]
    pub const fn bulk() -> Self {
        Self { patience: Duration::from_secs(120) }
    }

    pub(crate) fn begin(self) -> Attempts {
        Attempts { deadline: Instant::now() + self.patience, wait: FIRST_WAIT }
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub(crate) struct Attempts {
    deadline: Instant,
    wait: Duration,
}

impl Attempts {
    /// How long to wait before the next attempt: as the server named it, else twice as long as the last time. `None`
    /// when that would be beyond the limit.
    pub(crate) fn next_wait(&mut self, named: Option<Duration>) -> Option<Duration> {
        // A named time is a least time; the doubling keeps a server that names 0 from being asked in a tight loop.
        let wait = named.unwrap_or_default().max(self.wait);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        (Instant::now() + wait <= self.deadline).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_heed_the_server() {
        let mut attempts = RetryLimits::bulk().begin();
        assert_eq!(attempts.next_wait(None), Some(Duration::from_millis(50)));
        assert_eq!(attempts.next_wait(Some(Duration::ZERO)), Some(Duration::from_millis(100)));
        assert_eq!(attempts.next_wait(Some(Duration::from_secs(3))), Some(Duration::from_secs(3)));
        assert_eq!(attempts.next_wait(Some(Duration::from_secs(600))), None);
        for _ in 0..20 {
            assert!(attempts.next_wait(None).is_some_and(|wait| wait <= LONGEST_WAIT));
        }
    }
}
