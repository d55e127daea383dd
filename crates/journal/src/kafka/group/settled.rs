//! Whether a member has found its place in its group.
//!
//! The client library looks for the group's coordinator and joins by itself. When coordinators change while it does so
//! it can go on asking the wrong broker for ever (librdkafka issues 3082 and 3396): a member that is not settled for
//! long begins anew.

use std::time::{Duration, Instant};

use rdkafka::statistics::ConsumerGroup;

/// Longer than a member may take to write what it has to give up, while all others wait for it.
const LEAST_PATIENCE: Duration = Duration::from_secs(60);
/// How many times a member that is gone may hold the others up.
const SESSIONS: u32 = 6;

/// Since when a member has no place in its group.
#[derive(Debug)]
pub(super) struct Settled {
    patience: Duration,
    lost_since: Option<Instant>,
}

impl Settled {
    pub(super) fn new(session_timeout: Duration) -> Self {
        Self { patience: LEAST_PATIENCE.max(session_timeout * SESSIONS), lost_since: None }
    }

    /// What the client tells of itself.
    pub(super) fn told(&mut self, group: &ConsumerGroup, now: Instant) {
        let is_settled = group.state == "up" && group.join_state == "steady";
        self.lost_since = if is_settled { None } else { Some(self.lost_since.unwrap_or(now)) };
    }

    /// Whether it goes on for longer than anything that passes by itself.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        self.lost_since.is_some_and(|since| now.duration_since(since) > self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn group(state: &str, join_state: &str) -> ConsumerGroup {
        ConsumerGroup { state: state.to_owned(), join_state: join_state.to_owned(), ..ConsumerGroup::default() }
    }

    #[test]
    fn a_member_that_never_settles_is_stuck() {
        let (mut settled, began) = (Settled::new(6 * SECOND), Instant::now());
        assert!(!settled.is_stuck(began + 1_000 * SECOND), "nothing was told");
        for (second, state, join_state) in [(0, "up", "wait-join"), (30, "wait-coord", "init"), (60, "up", "init")] {
            settled.told(&group(state, join_state), began + second * SECOND);
        }
        assert!(!settled.is_stuck(began + 60 * SECOND));
        assert!(settled.is_stuck(began + 61 * SECOND));
    }

    #[test]
    fn one_that_settles_now_and_then_is_not() {
        let (mut settled, began) = (Settled::new(6 * SECOND), Instant::now());
        settled.told(&group("up", "wait-sync"), began);
        settled.told(&group("up", "steady"), began + 59 * SECOND);
        settled.told(&group("up", "wait-join"), began + 62 * SECOND);
        assert!(!settled.is_stuck(began + 100 * SECOND));
    }

    #[test]
    fn long_sessions_give_more_time() {
        let (mut settled, began) = (Settled::new(30 * SECOND), Instant::now());
        settled.told(&group("up", "wait-join"), began);
        assert!(!settled.is_stuck(began + 180 * SECOND));
        assert!(settled.is_stuck(began + 181 * SECOND));
    }
}
