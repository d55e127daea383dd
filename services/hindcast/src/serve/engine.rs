//! Opens the adapters that a configuration names: the only place that knows them.

use std::sync::Arc;

use hindcast_journal::{
    Log,
    embedded::{EmbeddedLog, LogStats},
};
use hindcast_views::{
    ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsStats},
};

use super::config::{LogEngine, ServeConfig, ViewsEngine};
use crate::exit::Failure;

/// The adapters of a process.
#[derive(Clone)]
pub(super) struct Engine {
    log: Arc<EmbeddedLog>,
    views: Arc<EmbeddedViews>,
}

impl Engine {
    /// Opens the folders. Blocks on the disk.
    pub(super) fn open(config: &ServeConfig) -> Result<Self, Failure> {
        let LogEngine::Embedded = config.log.engine;
        let ViewsEngine::Embedded = config.views.engine;
        std::fs::create_dir_all(&config.data).map_err(|error| {
            Failure::failed(format_args!("the data folder {} can't be made: {error}", config.data.display()))
        })?;
        let log = EmbeddedLog::open(&config.data.join("journal"), &config.log.embedded).map_err(Failure::failed)?;
        let views = EmbeddedViews::open(&config.data.join("views"), &config.views.embedded).map_err(Failure::failed)?;
        Ok(Self { log: Arc::new(log), views: Arc::new(views) })
    }

    pub(super) fn log(&self) -> Arc<dyn Log> {
        Arc::clone(&self.log) as Arc<dyn Log>
    }

    pub(super) fn views(&self) -> Arc<dyn ViewStore> {
        Arc::clone(&self.views) as Arc<dyn ViewStore>
    }

    pub(super) fn log_stats(&self) -> LogStats {
        self.log.stats()
    }

    pub(super) fn views_stats(&self) -> EmbeddedViewsStats {
        self.views.stats()
    }
}
