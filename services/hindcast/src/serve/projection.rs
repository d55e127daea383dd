//! How this process knows how far the journal is projected: it projects, or it follows who does.

use std::sync::Arc;

use hindcast_control::ActiveGenerations;
use hindcast_journal::membership::Joined;
use hindcast_projector::{Projector, ProjectorMetrics, ProjectorPorts};
use hindcast_reader::{ProgressBoard, follower};
use hindcast_schemas::Codec;
use hindcast_views::TableName;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    config::{Role, ServeConfig},
    engine::{Engine, shares_partitions},
};
use crate::exit::Failure;

/// The projector of this process, if it has one, and who looks for what others have projected.
pub(super) struct Projection {
    /// Before the projector, which writes what is folded of the partitions that are left.
    joined: Option<Joined>,
    projector: Option<Projector>,
    follower: Option<JoinHandle<()>>,
}

impl Projection {
    pub(super) async fn start(
        config: &ServeConfig,
        engine: &Engine,
        codec: &Arc<Codec>,
        board: &Arc<ProgressBoard>,
        generations: &ActiveGenerations,
        registry: &prometheus::Registry,
    ) -> Result<Self, Failure> {
        let (log, views) = (engine.log(), engine.views());
        let table = TableName(Arc::clone(&generations.book_table));
        match follower::read_progress(&*views, board, &table).await {
            Ok(()) => {}
            // A store that is busy or away is no reason not to take events in; answers say how far behind they are.
            Err(error) if error.retryable => tracing::warn!(%error, "progress can't be read yet"),
            Err(error) => return Err(Failure::failed(error)),
        }
        let (mut projector, mut joined) = (None, None);
        if config.roles.contains(&Role::Projector) {
            let metrics = ProjectorMetrics::register(registry, log.identity()).map_err(Failure::failed)?;
            let ports = ProjectorPorts {
                log,
                views: Arc::clone(&views),
                codec: Arc::clone(codec),
                board: Arc::clone(board),
                metrics: Arc::new(metrics),
            };
            let idle = Projector::start_idle(&ports, &generations.set, &config.projector).map_err(Failure::failed)?;
            let (owner, membership) = (idle.owner(), engine.membership(config)?);
            joined = Some(super::blocking(move || membership.join(owner).map_err(Failure::failed)).await?);
            projector = Some(idle);
        }
        let is_followed = projector.is_none() || shares_partitions(config);
        let follower = is_followed.then(|| tokio::spawn(follower::follow(views, Arc::clone(board), table)));
        Ok(Self { joined, projector, follower })
    }

    /// Why the projector of this process gave up, if it did.
    pub(super) fn failure(&self) -> Option<watch::Receiver<Option<String>>> {
        self.projector.as_ref().map(Projector::failure)
    }

    /// Writes what is folded and stops. Blocks until that is done.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        drop(self.joined.take());
        self.projector.take().map_or(Ok(()), Projector::stop).map_err(Failure::failed)
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        if let Some(follower) = &self.follower {
            follower.abort();
        }
        if let Some(joined) = self.joined.take() {
            // Leaving blocks, which is not for whoever gives up halfway through an async start.
            std::thread::spawn(move || drop(joined));
        }
    }
}
