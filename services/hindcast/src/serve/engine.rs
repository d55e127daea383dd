//! Opens the adapters that a configuration names: the only place that knows them.

use std::sync::Arc;

use hindcast_control::Control;
use hindcast_journal::{
    Log,
    embedded::{EmbeddedLog, LogStats},
    kafka::{self, KafkaLog, KafkaLogStats, KafkaMembership},
    membership::{Alone, Membership},
};
use hindcast_registry::{ConfluentRegistry, Recorded};
use hindcast_schemas::{Codec, LocalRegistry};
use hindcast_views::{
    ViewStore,
    cql::{self, CqlViews, CqlViewsStats},
    embedded::{EmbeddedViews, EmbeddedViewsStats},
};
use uuid::Uuid;

use super::config::{LogEngine, ServeConfig, ViewsEngine};
use crate::exit::Failure;

/// The adapters of a process.
#[derive(Clone)]
pub(super) struct Engine {
    log: LogAdapter,
    views: ViewsAdapter,
}

#[derive(Clone)]
enum LogAdapter {
    Embedded(Arc<EmbeddedLog>),
    Kafka(Arc<KafkaLog>),
}

#[derive(Clone)]
enum ViewsAdapter {
    Embedded(Arc<EmbeddedViews>),
    Cql(Arc<CqlViews>),
}

/// What a log tells about itself.
pub(super) struct LogTold {
    /// Of these a cluster knows no syncs.
    pub(super) stats: LogStats,
    /// Consumers that a cluster is read with.
    pub(super) readers: u64,
}

/// What a view store tells about itself.
pub(super) enum ViewsTold {
    Embedded(EmbeddedViewsStats),
    Cql(CqlViewsStats),
}

impl Engine {
    /// Opens folders and connects to clusters, in bounded time.
    pub(super) async fn open(config: &ServeConfig) -> Result<Self, Failure> {
        let opening = config.clone();
        let log = super::blocking(move || LogAdapter::open(&opening)).await?;
        Ok(Self { log, views: ViewsAdapter::open(config).await? })
    }

    pub(super) fn log(&self) -> Arc<dyn Log> {
        self.log.port()
    }

    pub(super) fn views(&self) -> Arc<dyn ViewStore> {
        self.views.port()
    }

    /// How a projector of this process shares partitions with those of others.
    pub(super) fn membership(&self, config: &ServeConfig) -> Result<Box<dyn Membership>, Failure> {
        if shares_partitions(config) {
            let membership = KafkaMembership::new(&config.log.kafka, &config.log.group).map_err(Failure::failed)?;
            return Ok(Box::new(membership));
        }
        Ok(Box::new(Alone { partitions: self.log().identity().partitions }))
    }

    pub(super) fn log_told(&self) -> LogTold {
        match &self.log {
            LogAdapter::Embedded(log) => LogTold { stats: log.stats(), readers: 0 },
            LogAdapter::Kafka(log) => {
                let KafkaLogStats { records, bytes, queued_records, queued_bytes, refused, failures, readers } =
                    log.stats();
                let stats = LogStats { syncs: 0, records, bytes, queued_records, queued_bytes, refused, failures };
                LogTold { stats, readers }
            }
        }
    }

    pub(super) fn views_told(&self) -> ViewsTold {
        match &self.views {
            ViewsAdapter::Embedded(views) => ViewsTold::Embedded(views.stats()),
            ViewsAdapter::Cql(views) => ViewsTold::Cql(views.stats()),
        }
    }
}

impl LogAdapter {
    /// Blocks.
    fn open(config: &ServeConfig) -> Result<Self, Failure> {
        Ok(match config.log.engine {
            LogEngine::Embedded => {
                make_data_folder(config)?;
                let log =
                    EmbeddedLog::open(&config.data.join("journal"), &config.log.embedded).map_err(Failure::failed)?;
                Self::Embedded(Arc::new(log))
            }
            LogEngine::Kafka => Self::Kafka(Arc::new(KafkaLog::open(&config.log.kafka).map_err(Failure::failed)?)),
        })
    }

    fn port(&self) -> Arc<dyn Log> {
        match self {
            Self::Embedded(log) => Arc::clone(log) as Arc<dyn Log>,
            Self::Kafka(log) => Arc::clone(log) as Arc<dyn Log>,
        }
    }
}

impl ViewsAdapter {
    async fn open(config: &ServeConfig) -> Result<Self, Failure> {
        match config.views.engine {
            ViewsEngine::Embedded => {
                let config = config.clone();
                super::blocking(move || {
                    make_data_folder(&config)?;
                    let views = EmbeddedViews::open(&config.data.join("views"), &config.views.embedded);
                    Ok(Self::Embedded(Arc::new(views.map_err(Failure::failed)?)))
                })
                .await
            }
            ViewsEngine::Cql => {
                let views = CqlViews::open(&config.views.cql).await.map_err(Failure::failed)?;
                Ok(Self::Cql(Arc::new(views)))
            }
        }
    }

    fn port(&self) -> Arc<dyn ViewStore> {
        match self {
            Self::Embedded(views) => Arc::clone(views) as Arc<dyn ViewStore>,
            Self::Cql(views) => Arc::clone(views) as Arc<dyn ViewStore>,
        }
    }
}

/// A log alone, for who needs no whole system. Blocks.
pub(crate) fn open_log(config: &ServeConfig) -> Result<Arc<dyn Log>, Failure> {
    LogAdapter::open(config).map(|log| log.port())
}

/// A view store alone, for who needs no whole system.
pub(crate) async fn open_views(config: &ServeConfig) -> Result<Arc<dyn ViewStore>, Failure> {
    ViewsAdapter::open(config).await.map(|views| views.port())
}

/// The codec of this build without control: ids of schemas come from the registry itself. Blocks.
pub(crate) fn open_bare_codec(config: &ServeConfig) -> Result<Codec, Failure> {
    match config.log.engine {
        LogEngine::Embedded => Codec::new(LocalRegistry),
        LogEngine::Kafka => Codec::new(ConfluentRegistry::new(&config.registry).map_err(Failure::failed)?),
    }
    .map_err(Failure::failed)
}

/// Gives a system topics, a consumer group and a keyspace of its own, called `WHAT-…` and `WHAT_…`: for systems that begin
/// empty and are made to be thrown away.
pub(crate) fn set_apart(config: &mut ServeConfig, what: &str) {
    let id = Uuid::now_v7().simple();
    config.log.kafka.topic_prefix = format!("{what}-{id}");
    config.log.kafka.create_topics = true;
    config.log.group.id = format!("{what}-{id}");
    config.views.cql.keyspace = format!("{what}_{id}");
    config.views.cql.create_keyspace = true;
    config.views.cql.create_tables = true;
}

/// Removes what a system keeps outside its data folder: topics, consumer group, keyspace. For systems that are made to be
/// thrown away.
pub(crate) async fn remove(config: &ServeConfig) -> Result<(), Failure> {
    let log_removed = match config.log.engine {
        LogEngine::Embedded => Ok(()),
        LogEngine::Kafka => {
            let log = config.log.clone();
            super::blocking(move || kafka::remove(&log.kafka, &log.group).map_err(Failure::failed)).await
        }
    };
    let views_removed = match config.views.engine {
        ViewsEngine::Embedded => Ok(()),
        ViewsEngine::Cql => cql::remove(&config.views.cql).await.map_err(Failure::failed),
    };
    log_removed.and(views_removed)
}

/// The codec of this build, with ids of schemas from where the log's engine has them. Blocks.
pub(super) fn open_codec(config: &ServeConfig, control: Arc<Control>) -> Result<Arc<Codec>, Failure> {
    let codec = match config.log.engine {
        LogEngine::Embedded => Codec::new(LocalRegistry),
        LogEngine::Kafka => {
            let registry = ConfluentRegistry::new(&config.registry).map_err(Failure::failed)?;
            Codec::new(Recorded::new(control, registry))
        }
    };
    codec.map(Arc::new).map_err(Failure::failed)
}

/// Whether projectors of several processes fold into one store. Into a store of its own a process folds everything.
pub(super) fn shares_partitions(config: &ServeConfig) -> bool {
    config.log.engine == LogEngine::Kafka && config.views.engine == ViewsEngine::Cql
}

/// Makes the folder for what is kept on this machine.
pub(super) fn make_data_folder(config: &ServeConfig) -> Result<(), Failure> {
    std::fs::create_dir_all(&config.data).map_err(|error| {
        Failure::failed(format_args!(
            "the data folder {} can't be made: {error}; name another with --data, or make it for this user",
            config.data.display()
        ))
    })
}
