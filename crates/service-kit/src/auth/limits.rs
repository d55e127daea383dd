//! How often a user may ask: a GCRA of `governor` per user, in bounded memory.

use std::{convert::Infallible, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    DefaultDirectRateLimiter, Quota,
    clock::{Clock, DefaultClock},
};
use hindcast_control::ApiKey;
use http::{HeaderName, HeaderValue};
use quick_cache::sync::Cache;

use super::AuthConfig;
use crate::problem::Problem;

/// `RateLimit` of draft-ietf-httpapi-ratelimit-headers: what is left.
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// `RateLimit-Policy` of the same draft: what the limit is.
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limits of users, and of keys that have one of their own.
///
/// Each is a cache with a bound, looked up under a shared lock of one shard and then one atomic step. Whoever falls out
/// of it starts afresh; that needs more active users within a minute than the bound.
pub(crate) struct Limits {
    users: Cache<String, Arc<Limiter>>,
    keys: Cache<String, Arc<Limiter>>,
    per_minute: u32,
    burst: u32,
    clock: DefaultClock,
}

struct Limiter {
    gcra: DefaultDirectRateLimiter,
    per_minute: u32,
    burst: u32,
}

impl Limits {
    pub(crate) fn new(config: &AuthConfig) -> Self {
        Self {
            users: Cache::new(config.tracked_users),
            keys: Cache::new(config.tracked_users),
            per_minute: config.requests_per_minute,
            burst: config.burst,
            clock: DefaultClock::default(),
        }
    }

    /// Charges whom a key belongs to: the user, or the key itself if it has a limit of its own.
    pub(crate) fn charge(&self, key: &ApiKey, cost: NonZeroU32) -> Result<(), Problem> {
        let limiter = match key.requests_per_minute {
            None => limiter_of(&self.users, key.user_id.as_str(), self.per_minute, self.burst),
            Some(per_minute) => limiter_of(&self.keys, &key.id, per_minute, per_minute),
        };
        // A batch may cost more than a small burst holds; it then takes all of it, else it could never pass.
        let cost = cost.min(at_least_one(limiter.burst));
        match limiter.gcra.check_n(cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(limiter.refusal(until.wait_time_from(self.clock.now()))),
            Err(_) => Err(limiter.refusal(Duration::from_mins(1))),
        }
    }
}

fn limiter_of(cache: &Cache<String, Arc<Limiter>>, key: &str, per_minute: u32, burst: u32) -> Arc<Limiter> {
    let made: Result<_, Infallible> = cache.get_or_insert_with(key, || Ok(Arc::new(Limiter::new(per_minute, burst))));
    match made {
        Ok(limiter) => limiter,
        Err(never) => match never {},
    }
}

impl Limiter {
    fn new(per_minute: u32, burst: u32) -> Self {
        let quota = Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst));
        Self { gcra: DefaultDirectRateLimiter::direct(quota), per_minute, burst }
    }

    fn refusal(&self, wait: Duration) -> Problem {
        let wait_s = whole_seconds(wait);
        let policy = format!("\"requests\";q={};w=60", self.per_minute);
        let left = format!("\"requests\";r=0;t={wait_s}");
        let detail = format!("{} requests a minute are allowed, {} of them at once", self.per_minute, self.burst);
        let mut problem = Problem::too_many_requests(wait_s, detail);
        for (name, value) in [(RATELIMIT_POLICY, policy), (RATELIMIT, left)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                problem.headers.push((name, value));
            }
        }
        problem
    }
}

fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}

/// Rounded up, because a client that comes back a moment too early is refused again.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use hindcast_domain::{TimestampUs, UserId};

    use super::*;

    fn key(id: &str, user: &str, requests_per_minute: Option<u32>) -> ApiKey {
        ApiKey {
            id: id.into(),
            user_id: UserId::new(user).unwrap(),
            scopes: Vec::new(),
            sha256: [0; 32],
            created_at: TimestampUs(0),
            expires_at: None,
            requests_per_minute,
            revoked_at: None,
        }
    }

    fn allowed(limits: &Limits, key: &ApiKey, tries: u32) -> u32 {
        (0..tries).map(|_| u32::from(limits.charge(key, NonZeroU32::MIN).is_ok())).sum()
    }

    fn limits(per_minute: u32, burst: u32) -> Limits {
        Limits::new(&AuthConfig { requests_per_minute: per_minute, burst, ..AuthConfig::default() })
    }

    #[test]
    fn two_keys_of_a_user_share_a_limit_and_other_users_have_their_own() {
        let limits = limits(1, 5);
        assert_eq!(allowed(&limits, &key("k1", "user-1", None), 3), 3);
        assert_eq!(allowed(&limits, &key("k2", "user-1", None), 9), 2);
        assert_eq!(allowed(&limits, &key("k3", "user-2", None), 9), 5);
        assert_eq!(allowed(&limits, &key("k4", "user-1", Some(2)), 9), 2);
        assert_eq!(allowed(&limits, &key("k1", "user-1", None), 9), 0);
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let limits = limits(100, 1);
        let key = key("k1", "user-1", None);
        limits.charge(&key, NonZeroU32::MIN).unwrap();
        let problem = limits.charge(&key, NonZeroU32::MIN).unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.retry_after_s), (429, Some(1)));
        let headers: Vec<_> =
            problem.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(headers, [("ratelimit-policy", "\"requests\";q=100;w=60"), ("ratelimit", "\"requests\";r=0;t=1")]);
    }

    #[test]
    fn a_batch_that_costs_more_than_the_burst_takes_all_of_it() {
        let limits = limits(1, 5);
        let key = key("k1", "user-1", None);
        limits.charge(&key, NonZeroU32::new(10).unwrap()).unwrap();
        assert_eq!(allowed(&limits, &key, 3), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits::new(&AuthConfig { tracked_users: 1_000, ..AuthConfig::default() });
        for user in 0..20_000 {
            limits.charge(&key("k", &format!("user-{user}"), None), NonZeroU32::MIN).unwrap();
        }
        assert!(limits.users.len() <= 1_100, "{}", limits.users.len());
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
    }
}
