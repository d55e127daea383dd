//! What a projector thread is told while it runs: which partitions it gains and loses.

use std::{
    sync::mpsc::{SyncSender, sync_channel},
    time::Duration,
};

use tokio::sync::mpsc;

/// Orders that may wait; they come one at a time, from the thread that is a member of the group.
const WAITING: usize = 16;
/// How long a thread may take to write what it has folded of partitions that it has to give up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A partition and the offset of the next record to fold, as it is stored.
pub(crate) type Written = Vec<(u16, u64)>;

#[derive(Debug)]
pub(crate) enum Order {
    /// Go on with these partitions from their stored progress.
    Take(Vec<u16>),
    /// Write what is folded of these partitions, then forget them.
    GiveUp(Vec<u16>, SyncSender<Written>),
    /// Others have them already: forget them.
    Forget(Vec<u16>, SyncSender<Written>),
}

/// The end that gives orders.
#[derive(Debug, Clone)]
pub(crate) struct Orders(mpsc::Sender<Order>);

/// The end that obeys.
pub(crate) type Ordered = mpsc::Receiver<Order>;

pub(crate) fn orders() -> (Orders, Ordered) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Orders(sender), receiver)
}

impl Orders {
    /// Blocks while the thread is behind with its orders. A thread that gave up obeys none; that is told elsewhere.
    pub(crate) fn take(&self, partitions: Vec<u16>) {
        if self.0.blocking_send(Order::Take(partitions)).is_err() {
            tracing::warn!("a projector thread that gave up can't take partitions");
        }
    }

    /// Blocks until the partitions are given up; returns their stored progress.
    pub(crate) fn give_up(&self, partitions: Vec<u16>) -> Written {
        self.answered(|reply| Order::GiveUp(partitions, reply))
    }

    /// Blocks until the partitions are forgotten.
    pub(crate) fn forget(&self, partitions: Vec<u16>) {
        self.answered(|reply| Order::Forget(partitions, reply));
    }

    fn answered(&self, order: impl FnOnce(SyncSender<Written>) -> Order) -> Written {
        let (reply, answer) = sync_channel(1);
        if self.0.blocking_send(order(reply)).is_err() {
            return Written::new();
        }
        answer.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            // Whoever folds them next goes on from stored progress: late rows of ours change nothing.
            tracing::warn!(%error, "a projector thread did not give its partitions up in time");
            Written::new()
        })
    }
}
