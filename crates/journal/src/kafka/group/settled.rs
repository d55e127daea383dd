//! Whether a member has found its place in its group.
//!
//! The client library looks for the group's coordinator and joins by itself. It has been seen to look for ever when
//! coordinators change while it does so (librdkafka issues 3082 and 3396). Nothing else would tell: the process is well,
//! and its partitions are others', or nobody's.

use std::time::{Duration, Instant};

use rdkafka::statistics::ConsumerGroup;

use super::REBALANCE;

/// Longer than a rebalance may take.
const LEAST_PATIENCE: Duration = REBALANCE.saturating_add(Duration::from_secs(30));
/// How many times a member that is gone may hold the others up.
const SESSIONS: u32 = 6;

/// Since when a member has no place in its group.
#[derive(Debug)]
pub(super) struct Settled {
    patience: Duration,
    lost_since: Option<Instant>,
    /// When it is next told of.
    tells_at: Option<Instant>,
}

impl Settled {
    pub(super) fn new(session_timeout: Duration) -> Self {
        Self { patience: LEAST_PATIENCE.max(session_timeout * SESSIONS), lost_since: None, tells_at: None }
    }

    /// Takes note of what the client says of itself; for how long it has no place, if that is to be told now: once it
    /// lasts longer than anything that passes by itself, and as often again.
    pub(super) fn told(&mut self, group: &ConsumerGroup, now: Instant) -> Option<Duration> {
        if group.state == "up" && group.join_state == "steady" {
            (self.lost_since, self.tells_at) = (None, None);
            return None;
        }
        let since = *self.lost_since.get_or_insert(now);
        let tells_at = *self.tells_at.get_or_insert(now + self.patience);
        (now > tells_at).then(|| {
            self.tells_at = Some(now + self.patience);
            now.duration_since(since)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The seconds at which it is told that there is no place, as told every five seconds.
    fn told(
        session_timeout: Duration,
        seconds: u32,
        state_at: impl Fn(u32) -> (&'static str, &'static str),
    ) -> Vec<u32> {
        let (mut settled, began) = (Settled::new(session_timeout), Instant::now());
        let tells = |second: &u32| {
            let (state, join_state) = state_at(*second);
            let (state, join_state) = (state.to_owned(), join_state.to_owned());
            let group = ConsumerGroup { state, join_state, ..ConsumerGroup::default() };
            settled.told(&group, began + *second * SECOND).is_some()
        };
        (0..seconds).step_by(5).filter(tells).collect()
    }

    #[test]
    fn a_member_that_never_settles_is_told_of_again_and_again() {
        let turns = |second: u32| if second.is_multiple_of(2) { ("wait-coord", "init") } else { ("up", "wait-join") };
        assert_eq!(told(6 * SECOND, 200, turns), [95, 190]);
        assert_eq!(told(30 * SECOND, 200, turns), [185]);
    }

    #[test]
    fn one_that_settles_now_and_then_is_not() {
        let seldom = |second: u32| ("up", if second.is_multiple_of(60) { "steady" } else { "wait-sync" });
        assert!(told(6 * SECOND, 600, seldom).is_empty());
    }
}
