//! A system of processes on a log and a store of its own within services that tests share, or on services of its own.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hindcast_control::{Control, ControlConfig};
use hindcast_journal::kafka::{KafkaLog, KafkaLogConfig};
use hindcast_registry::{ConfluentRegistry, Recorded, RegistryConfig};
use hindcast_schemas::Codec;
use hindcast_service_kit::auth::SigningKeys;
use hindcast_views::cql::{CqlViews, CqlViewsConfig};
use http::{Method, StatusCode};

use crate::support::{Http, Server, writers::Places};

/// A member that was not heard of for so long loses its partitions: as short as brokers allow.
pub(crate) const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

/// How long what was cut off may take to be well again by itself, once it can: the driver of the store tries again to
/// connect every 10 s at least.
pub(crate) const RECOVERY: Duration = Duration::from_secs(60);

/// Where a system keeps everything.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) kafka: String,
    pub(crate) cql: String,
    pub(crate) registry: String,
    /// Copies of each topic.
    pub(crate) replicas: u16,
}

impl Services {
    /// Those that all tests of a run share.
    pub(crate) fn shared() -> Self {
        let told = |service: Result<String, hindcast_test_services::Error>| service.unwrap_or_else(|e| panic!("{e}"));
        Self {
            kafka: told(hindcast_test_services::shared::kafka()),
            cql: told(hindcast_test_services::shared::cql()),
            registry: told(hindcast_test_services::shared::registry()),
            replicas: 1,
        }
    }
}

/// The processes of a system, by name.
pub(crate) struct System {
    services: Services,
    /// What topics and the keyspace are called.
    name: String,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    ports: BTreeMap<&'static str, u16>,
    pub(crate) processes: BTreeMap<&'static str, Server>,
}

impl System {
    /// A system without processes.
    pub(crate) fn new(services: Services) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let name = format!("t{}_{}", std::process::id(), since_1970.as_nanos() % 10_000_000_000);
        let folder = tempfile::tempdir().unwrap();
        let signing = folder.path().join("signing-keys.json");
        SigningKeys::load_or_create(&signing).unwrap();
        let own = [
            ("AUTH__SIGNING_KEYS_FILE", signing.display().to_string()),
            ("LOG__ENGINE", "kafka".to_owned()),
            ("LOG__KAFKA__BROKERS", services.kafka.clone()),
            ("LOG__KAFKA__TOPIC_PREFIX", name.clone()),
            ("LOG__KAFKA__PARTITIONS", "4".to_owned()),
            ("LOG__KAFKA__REPLICATION_FACTOR", services.replicas.to_string()),
            ("LOG__KAFKA__MIN_INSYNC_REPLICAS", if services.replicas > 1 { "2" } else { "1" }.to_owned()),
            ("LOG__KAFKA__DELIVERY_TIMEOUT_MS", "3000".to_owned()),
            ("LOG__GROUP__ID", name.clone()),
            ("LOG__GROUP__SESSION_TIMEOUT_MS", SESSION_TIMEOUT.as_millis().to_string()),
            ("VIEWS__ENGINE", "cql".to_owned()),
            ("VIEWS__CQL__KEYSPACE", name.clone()),
            ("REGISTRY__URL", services.registry.clone()),
        ];
        let mut environment: Vec<_> = own.into_iter().map(|(key, value)| (format!("HINDCAST_{key}"), value)).collect();
        // A list is written as in TOML.
        environment.push(("HINDCAST_VIEWS__CQL__NODES".to_owned(), format!("[\"{}\"]", services.cql)));
        Self { services, name, folder, environment, ports: BTreeMap::new(), processes: BTreeMap::new() }
    }

    /// Every role twice, but for the admin's.
    pub(crate) fn whole(services: Services) -> Self {
        let mut system = Self::new(services);
        for name in ["admin", "ingress-1", "ingress-2", "projector-1", "projector-2", "confidence-1", "confidence-2"] {
            system.start(name);
        }
        system
    }

    /// Starts a process of the role that its name begins with, on the same port every time.
    pub(crate) fn start(&mut self, name: &'static str) {
        let port = *self.ports.entry(name).or_insert_with(free_port);
        let role = name.split('-').next().unwrap();
        let mut environment = self.environment.clone();
        environment.push(("HINDCAST_ROLES".to_owned(), format!("[\"{role}\"]")));
        let environment: Vec<(&str, &str)> = environment.iter().map(|(key, value)| (&**key, &**value)).collect();
        let data = self.folder.path().join(name);
        let server = Server::start_at(&format!("127.0.0.1:{port}"), &data, &environment);
        self.processes.insert(name, server);
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, name: &str) {
        self.processes.remove(name).unwrap().kill();
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(&mut self, name: &str) {
        self.processes.remove(name).unwrap().stop();
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, name: &str, signal: &str) {
        let pid = self.processes[name].child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Requests to a process, whether it runs or not.
    pub(crate) fn http(&self, name: &str) -> Http {
        Http::new(&format!("http://127.0.0.1:{}", self.ports[name]))
    }

    /// Waits until every process reaches the log and the store.
    pub(crate) async fn until_healthy(&self) {
        for name in self.processes.keys() {
            let (http, began) = (self.http(name), Instant::now());
            loop {
                let health = http.try_send(Method::GET, "/health", None, &[], "").await.unwrap();
                if health.status == StatusCode::OK {
                    break;
                }
                assert!(began.elapsed() < RECOVERY, "{name} does not become healthy by itself: {health:?}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Where clients write.
    pub(crate) fn places(&self) -> Places {
        let of = |role: &str| {
            let names = self.ports.keys().filter(|name| name.starts_with(role));
            names.map(|name| self.http(name)).collect::<Vec<_>>()
        };
        Places { ingress: of("ingress"), confidence: of("confidence") }
    }

    /// Ends all processes as an operator would.
    pub(crate) fn stop_all(&mut self) {
        let names: Vec<_> = self.processes.keys().copied().collect();
        for name in names {
            self.stop(name);
        }
    }

    pub(crate) fn log_config(&self) -> KafkaLogConfig {
        KafkaLogConfig {
            brokers: self.services.kafka.clone(),
            topic_prefix: self.name.clone(),
            partitions: 4,
            replication_factor: self.services.replicas,
            min_insync_replicas: if self.services.replicas > 1 { 2 } else { 1 },
            create_topics: false,
            ..KafkaLogConfig::default()
        }
    }

    /// What the processes work on, opened by the test itself. Blocks.
    pub(crate) fn open(&self, runtime: &tokio::runtime::Runtime) -> (Arc<KafkaLog>, Codec, CqlViews) {
        let log = Arc::new(KafkaLog::open(&self.log_config()).unwrap());
        let views = CqlViewsConfig {
            nodes: vec![self.services.cql.clone()],
            keyspace: self.name.clone(),
            create_keyspace: false,
            create_tables: false,
            ..CqlViewsConfig::default()
        };
        let views = runtime.block_on(CqlViews::open(&views)).unwrap();
        let control = Control::follow(Arc::clone(&log) as _, ControlConfig::default()).unwrap();
        let registry = RegistryConfig { url: self.services.registry.clone(), register: false, ..Default::default() };
        let registry = ConfluentRegistry::new(&registry).unwrap();
        (log, Codec::new(Recorded::new(control, registry)).unwrap(), views)
    }
}

/// Free at the moment; processes listen with address reuse, as servers do.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
