//! Where benchmarks keep what they write: empty at first, and nothing is left of it afterwards.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use hindcast_service_kit::auth::AuthConfig;

use super::BenchError;
use crate::serve::{
    self, Role, ServeConfig,
    config::{LogEngine, ViewsEngine},
};

/// Far beyond what a benchmark can send: the limiter works, and lets everything pass.
const REQUESTS_PER_MINUTE: u32 = 100_000_000;

/// The places of one benchmark.
pub(super) struct Places {
    config: ServeConfig,
    made: Mutex<Vec<ServeConfig>>,
}

/// A folder, topics, a consumer group and a keyspace that nobody else uses.
pub(super) struct Place {
    /// A system of all roles that keeps everything there.
    pub(super) config: ServeConfig,
    /// Removed with this; the rest by [`Places::remove`].
    _folder: tempfile::TempDir,
}

impl Places {
    pub(super) fn new(config: ServeConfig) -> Self {
        Self { config, made: Mutex::default() }
    }

    pub(super) fn log_engine(&self) -> LogEngine {
        self.config.log.engine
    }

    pub(super) fn views_engine(&self) -> ViewsEngine {
        self.config.views.engine
    }

    /// Kind of the log and of the views.
    pub(super) fn engine(&self) -> String {
        let (log, views) = self.config.engines();
        if log == views { log.to_owned() } else { format!("{log}+{views}") }
    }

    /// A new one.
    pub(super) fn make(&self) -> Result<Place, BenchError> {
        let folder = tempfile::tempdir().map_err(|error| BenchError(format!("no temporary folder: {error}")))?;
        let mut config = self.config.clone();
        config.data = folder.path().join("data");
        // All in this process, for this process alone.
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        (config.ingress.listen, config.confidence.listen, config.admin.listen) = (None, None, None);
        config.roles = Role::ALL.to_vec();
        config.auth = AuthConfig {
            requests_per_minute: REQUESTS_PER_MINUTE,
            burst: REQUESTS_PER_MINUTE,
            signing_keys_file: None,
            ..config.auth
        };
        serve::set_apart(&mut config, "bench");
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(config.clone());
        Ok(Place { config, _folder: folder })
    }

    /// Removes what all of them have in services. Whoever used them has ended.
    pub(super) async fn remove(&self) -> Result<(), BenchError> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut first_failure = Ok(());
        for config in &made {
            first_failure = first_failure.and(serve::remove(config).await);
        }
        first_failure.map_err(|failure| BenchError(format!("{failure}; what is named bench-… or bench_… can go")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_apart_and_take_nothing_of_what_serves() {
        let serving = ServeConfig::default();
        let places = Places::new(serving.clone());
        let (one, other) = (places.make().unwrap().config, places.make().unwrap().config);
        for (a, b) in [(&one, &other), (&one, &serving), (&other, &serving)] {
            assert_ne!(a.data, b.data);
            assert_ne!(a.log.kafka.topic_prefix, b.log.kafka.topic_prefix);
            assert_ne!(a.log.group.id, b.log.group.id);
            assert_ne!(a.views.cql.keyspace, b.views.cql.keyspace);
        }
        assert!(one.log.kafka.topic_prefix.starts_with("bench-") && one.views.cql.keyspace.starts_with("bench_"));
    }

    #[test]
    fn engines_are_named() {
        let named = |log, views| {
            let mut config = ServeConfig::default();
            (config.log.engine, config.views.engine) = (log, views);
            Places::new(config).engine()
        };
        assert_eq!(named(LogEngine::Embedded, ViewsEngine::Embedded), "embedded");
        assert_eq!(named(LogEngine::Kafka, ViewsEngine::Cql), "kafka+cql");
        assert_eq!(named(LogEngine::Kafka, ViewsEngine::Embedded), "kafka+embedded");
    }
}
