//! Addresses that fail to authenticate: too often, and they are turned away before any key is looked up.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::extract::ConnectInfo;
use governor::{
    DefaultDirectRateLimiter, Quota,
    clock::{Clock, DefaultClock},
};
use http::{HeaderName, request::Parts};
use quick_cache::sync::Cache;

use super::{AuthConfig, limits::whole_seconds};
use crate::problem::Problem;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Addresses that failed lately, in bounded memory.
pub(crate) struct Addresses {
    failing: Cache<IpAddr, Arc<Failing>>,
    trusted_proxies: Vec<IpAddr>,
    quota: Quota,
    clock: DefaultClock,
    started: Instant,
}

struct Failing {
    failures: DefaultDirectRateLimiter,
    /// Milliseconds since the start until which the address is turned away.
    turned_away_until_ms: AtomicU64,
}

impl Addresses {
    pub(crate) fn new(config: &AuthConfig) -> Self {
        Self {
            failing: Cache::new(config.tracked_addresses),
            trusted_proxies: config.trusted_proxies.clone(),
            quota: Quota::per_minute(NonZeroU32::new(config.failures_per_minute).unwrap_or(NonZeroU32::MIN)),
            clock: DefaultClock::default(),
            started: Instant::now(),
        }
    }

    /// Who is asking: the connection's address, or what a trusted proxy says it is.
    pub(crate) fn of(&self, parts: &Parts) -> IpAddr {
        let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
            // Not over a connection, as in tests: all such requests share one address.
            return IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        };
        let peer = peer.ip().to_canonical();
        if self.trusted_proxies.is_empty() || !self.trusted_proxies.contains(&peer) {
            return subnet(peer);
        }
        // The last entry that no trusted proxy put there: what stands before it anyone can have made up.
        let client = parts
            .headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .rev()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','))
            .map_while(|entry| entry.trim().parse::<IpAddr>().ok())
            .map(|address| address.to_canonical())
            .find(|address| !self.trusted_proxies.contains(address));
        subnet(client.unwrap_or(peer))
    }

    /// Lets an address pass that did not fail too often.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Problem> {
        let Some(failing) = self.failing.get(&address) else { return Ok(()) };
        let until_ms = failing.turned_away_until_ms.load(Ordering::Relaxed);
        let wait_ms = until_ms.saturating_sub(self.elapsed_ms());
        if wait_ms == 0 {
            return Ok(());
        }
        Err(Problem::too_many_requests(
            whole_seconds(Duration::from_millis(wait_ms)),
            "too many requests without valid credentials came from this address",
        ))
    }

    /// Notes that an address failed to authenticate.
    pub(crate) fn failed(&self, address: IpAddr) {
        let made: Result<_, Infallible> = self.failing.get_or_insert_with(&address, || {
            let failures = DefaultDirectRateLimiter::direct(self.quota);
            Ok(Arc::new(Failing { failures, turned_away_until_ms: AtomicU64::new(0) }))
        });
        let Ok(failing) = made;
        if let Err(until) = failing.failures.check() {
            let wait = until.wait_time_from(self.clock.now());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
            failing.turned_away_until_ms.fetch_max(self.elapsed_ms().saturating_add(wait_ms), Ordering::Relaxed);
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// One household has one IPv4 address but 2^64 of IPv6: those count as one.
fn subnet(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn addresses(trusted_proxies: &[&str]) -> Addresses {
        Addresses::new(&AuthConfig {
            failures_per_minute: 3,
            trusted_proxies: trusted_proxies.iter().map(|address| address.parse().unwrap()).collect(),
            ..AuthConfig::default()
        })
    }

    fn request(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header(X_FORWARDED_FOR, *value);
        }
        let peer: SocketAddr = peer.parse().unwrap();
        request.extension(ConnectInfo(peer)).body(()).unwrap().into_parts().0
    }

    #[test]
    fn an_address_that_fails_too_often_is_turned_away_and_no_other() {
        let addresses = addresses(&[]);
        let (bad, good) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..3 {
            addresses.failed(bad);
            assert!(addresses.check(bad).is_ok());
        }
        addresses.failed(bad);
        let problem = addresses.check(bad).unwrap_err();
        assert_eq!(problem.status, 429);
        assert!(problem.retry_after_s.is_some_and(|s| (19..=21).contains(&s)), "{problem:?}");
        assert!(addresses.check(good).is_ok());
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let addresses = addresses(&["10.0.0.1", "10.0.0.2"]);
        let of = |peer: &str, forwarded: &[&str]| addresses.of(&request(peer, forwarded)).to_string();
        assert_eq!(of("192.0.2.1:5000", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1:5000", &[]), "10.0.0.1");
        assert_eq!(of("10.0.0.1:5000", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(of("[::ffff:10.0.0.1]:5000", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1:5000", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1:5000", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1:5000", &["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(of("[2001:db8::1:2:3:4]:5000", &[]), "2001:db8::");
    }
}
