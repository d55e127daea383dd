//! The configuration of a process: one section a concern, each next to the code it configures.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hindcast_admin::AdminConfig;
use hindcast_confidence::ConfidenceConfig;
use hindcast_control::ControlConfig;
use hindcast_domain::Instruments;
use hindcast_ingress::IngressConfig;
use hindcast_journal::{
    embedded::EmbeddedLogConfig,
    kafka::{KafkaGroupConfig, KafkaLogConfig},
};
use hindcast_projector::{BuilderConfig, ProjectorConfig};
use hindcast_registry::RegistryConfig;
use hindcast_service_kit::{
    auth::AuthConfig,
    config::{self, Faults, Validate},
    server::ServerConfig,
    telemetry::TelemetryConfig,
};
use hindcast_views::{cql::CqlViewsConfig, embedded::EmbeddedViewsConfig};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// A part of the system that a process can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes signals and trades.
    Ingress,
    /// Folds the journal into views.
    Projector,
    /// Answers confidences and the caller's own views.
    Confidence,
    /// Keys, status, dead letters, history.
    Admin,
    /// Folds history into generations that nobody reads yet.
    Builder,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Ingress, Self::Projector, Self::Confidence, Self::Admin, Self::Builder];

    /// The role's name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Projector => "projector",
            Self::Confidence => "confidence",
            Self::Admin => "admin",
            Self::Builder => "builder",
        }
    }
}

/// What keeps the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogEngine {
    /// A folder of this machine.
    #[default]
    Embedded,
    /// Topics of Apache Kafka.
    Kafka,
}

/// What keeps the views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewsEngine {
    /// A folder of this machine.
    #[default]
    Embedded,
    /// Tables of ScyllaDB or Apache Cassandra.
    Cql,
}

/// The logs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// What keeps them.
    pub engine: LogEngine,
    /// The embedded engine.
    pub embedded: EmbeddedLogConfig,
    /// Apache Kafka.
    pub kafka: KafkaLogConfig,
    /// How projectors share the partitions of a log on Kafka.
    pub group: KafkaGroupConfig,
}

/// The views.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewsSection {
    /// What keeps them.
    pub engine: ViewsEngine,
    /// The embedded engine.
    pub embedded: EmbeddedViewsConfig,
    /// ScyllaDB or Apache Cassandra.
    pub cql: CqlViewsConfig,
}

/// Configuration of `hindcast serve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeConfig {
    /// Where the roles without a listener of their own listen.
    pub listen: SocketAddr,
    /// Where the data is kept.
    pub data: PathBuf,
    /// What this process runs.
    pub roles: Vec<Role>,
    /// What is traded.
    pub instruments: Instruments,
    /// The logs.
    pub log: LogSection,
    /// The views.
    pub views: ViewsSection,
    /// Where a log on Kafka has its schemas and their ids.
    pub registry: RegistryConfig,
    /// Taking signals and trades.
    pub ingress: IngressConfig,
    /// Folding.
    pub projector: ProjectorConfig,
    /// Building generations.
    pub builder: BuilderConfig,
    /// Answering.
    pub confidence: ConfidenceConfig,
    /// Serving operators.
    pub admin: AdminConfig,
    /// Following the settings.
    pub control: ControlConfig,
    /// Credentials and limits.
    pub auth: AuthConfig,
    /// Connections.
    pub server: ServerConfig,
    /// Log lines.
    pub telemetry: TelemetryConfig,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("data"),
            roles: Role::ALL.to_vec(),
            instruments: Instruments::default(),
            log: LogSection::default(),
            views: ViewsSection::default(),
            registry: RegistryConfig::default(),
            ingress: IngressConfig::default(),
            projector: ProjectorConfig::default(),
            builder: BuilderConfig::default(),
            confidence: ConfidenceConfig::default(),
            admin: AdminConfig::default(),
            control: ControlConfig::default(),
            auth: AuthConfig::default(),
            server: ServerConfig::default(),
            telemetry: TelemetryConfig::default(),
        }
    }
}

impl Validate for ServeConfig {
    fn validate(&self, faults: &mut Faults) {
        faults.check(!self.roles.is_empty(), "roles", "must name at least one role");
        faults.check(!self.instruments.0.is_empty(), "instruments", "must name at least one instrument");
        faults.within("log.embedded.partitions", self.log.embedded.partitions, 1, 1_024);
        faults.within("projector.threads", self.projector.threads, 1, 256);
        faults.at_least("projector.state_bytes", self.projector.state_bytes, 1 << 20);
        faults.at_least("projector.read_records", self.projector.read_records, 1);
        faults.within("builder.threads", self.builder.threads, 0, 256);
        faults.at_least("builder.state_bytes", self.builder.state_bytes, 1 << 20);
        faults.at_least("builder.read_records", self.builder.read_records, 1);
        faults.at_least("builder.flush_interval_ms", self.builder.flush_interval_ms, 1);
        faults.at_least("confidence.rows.cache_bytes", self.confidence.rows.cache_bytes, 1 << 20);
        faults.at_least("confidence.append_timeout_ms", self.confidence.append_timeout_ms, 1);
        let runs_all = Role::ALL.iter().all(|role| self.roles.contains(role));
        let is_alone = self.log.engine == LogEngine::Embedded || self.views.engine == ViewsEngine::Embedded;
        let asks_nobody = self.roles.iter().all(|role| matches!(role, Role::Projector | Role::Builder));
        faults.check(
            runs_all || is_alone || asks_nobody || self.auth.signing_keys_file.is_some(),
            "auth.signing_keys_file",
            "must name a file that all processes share: a token made by one is checked by the others",
        );
        faults.check(
            self.log.engine != LogEngine::Embedded || self.views.engine == ViewsEngine::Embedded || runs_all,
            "roles",
            "must be all of them with log.engine = \"embedded\": no other process can read its log",
        );
        self.validate_engines(faults);
        faults.section("ingress", &self.ingress);
        faults.section("control", &self.control);
        faults.section("auth", &self.auth);
        faults.section("server", &self.server);
        faults.section("telemetry", &self.telemetry);
    }
}

impl ServeConfig {
    /// Faults of the engines that are chosen; the others have no effect.
    fn validate_engines(&self, faults: &mut Faults) {
        match self.log.engine {
            LogEngine::Embedded => faults.within("log.embedded.gather_us", self.log.embedded.gather_us, 0, 10_000),
            LogEngine::Kafka => {
                let found = [
                    ("log.kafka", self.log.kafka.fault()),
                    ("log.group", self.log.group.fault()),
                    ("registry", self.registry.fault()),
                ];
                for (section, fault) in found {
                    faults.check(fault.is_none(), section, fault.unwrap_or_default());
                }
            }
        }
        if self.views.engine == ViewsEngine::Cql {
            let fault = self.views.cql.fault();
            faults.check(fault.is_none(), "views.cql", fault.unwrap_or_default());
        }
    }
}

/// What the command line overrides of the configuration.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Overrides {
    /// Where to listen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Where the data is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// Which roles to run; as configured when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

impl ServeConfig {
    /// Kind of the log and of the views.
    #[must_use]
    pub fn engines(&self) -> (&'static str, &'static str) {
        let log = match self.log.engine {
            LogEngine::Embedded => "embedded",
            LogEngine::Kafka => "kafka",
        };
        let views = match self.views.engine {
            ViewsEngine::Embedded => "embedded",
            ViewsEngine::Cql => "cql",
        };
        (log, views)
    }

    /// Where a role listens.
    #[must_use]
    pub fn listener_of(&self, role: Role) -> SocketAddr {
        let own = match role {
            Role::Ingress => self.ingress.listen,
            Role::Confidence => self.confidence.listen,
            Role::Admin => self.admin.listen,
            Role::Projector | Role::Builder => None,
        };
        own.unwrap_or(self.listen)
    }

    /// Reads a configuration file, the environment and overrides, in rising precedence.
    ///
    /// # Errors
    /// All faults together.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, Failure> {
        config::load(file, overrides).map_err(|error| Failure::usage(format_args!("configuration: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `HINDCAST_UPDATE_GOLDEN=1` writes the document anew.
    #[test]
    fn the_document_lists_every_key_with_its_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let document = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = document.split_once("```toml\n").unwrap();
        let (listed, after) = rest.split_once("```").unwrap();
        let defaults = toml::to_string(&ServeConfig::default()).unwrap();
        if std::env::var_os("HINDCAST_UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, format!("{before}```toml\n{defaults}```{after}")).unwrap();
            return;
        }
        assert_eq!(listed, defaults, "docs/configuration.md is out of date; HINDCAST_UPDATE_GOLDEN=1 writes it anew");
    }

    #[test]
    fn what_the_document_lists_is_read_back() {
        let defaults = toml::to_string(&ServeConfig::default()).unwrap();
        assert_eq!(toml::from_str::<ServeConfig>(&defaults).unwrap(), ServeConfig::default());
    }
}
