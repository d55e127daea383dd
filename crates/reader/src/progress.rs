//! How far each partition is projected, as far as this process knows.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use hindcast_domain::Position;
use hindcast_journal::{Log, Topic};
use hindcast_views::Progress;
use tokio::sync::watch;

/// Progress per partition, and what readers wait for.
///
/// The projector of the same process publishes here what it has written in its own partitions; of the others a
/// [`crate::follower`] tells what it finds in the store. Readers that wait tell what they want, so that the projector
/// need not write rows more often than somebody looks.
#[derive(Debug)]
pub struct ProgressBoard {
    progress: Vec<watch::Sender<Option<Progress>>>,
    /// One past the highest offset that some reader waits for, per partition.
    wanted_end: Vec<AtomicU64>,
    /// Whether a projector of this process owns the partition.
    own: Vec<AtomicBool>,
    /// Raised by one with each new want.
    wants: watch::Sender<u64>,
}

/// A position was not projected in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not projected up to {wanted} yet")]
pub struct NotYet {
    /// What was waited for.
    pub wanted: Position,
    /// How far the partition is.
    pub reached: Option<Position>,
}

impl ProgressBoard {
    /// A board on which nothing is projected.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self {
            progress: (0..partitions).map(|_| watch::Sender::new(None)).collect(),
            wanted_end: (0..partitions).map(|_| AtomicU64::new(0)).collect(),
            own: (0..partitions).map(|_| AtomicBool::new(false)).collect(),
            wants: watch::Sender::new(0),
        }
    }

    /// Tells that rows and progress of a partition were written.
    pub fn publish(&self, partition: u16, progress: Progress) {
        if let Some(sender) = self.progress.get(usize::from(partition)) {
            sender.send_replace(Some(progress));
        }
    }

    /// Tells that nothing of a partition is projected any more: its rows were lost.
    pub fn retract(&self, partition: u16) {
        if let Some(sender) = self.progress.get(usize::from(partition)) {
            sender.send_replace(None);
        }
    }

    /// From now on a projector of this process tells about the partition, and nobody else.
    pub fn own(&self, partition: u16) {
        if let Some(own) = self.own.get(usize::from(partition)) {
            own.store(true, Ordering::Release);
        }
    }

    /// The partition went to a projector elsewhere, or to none.
    pub fn disown(&self, partition: u16) {
        if let Some(own) = self.own.get(usize::from(partition)) {
            own.store(false, Ordering::Release);
        }
    }

    /// Whether a projector of this process owns the partition.
    #[must_use]
    pub fn is_own(&self, partition: u16) -> bool {
        self.own.get(usize::from(partition)).is_some_and(|own| own.load(Ordering::Acquire))
    }

    /// Partitions there are.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        u16::try_from(self.progress.len()).unwrap_or(u16::MAX)
    }

    /// How far a partition is projected; `None` if not at all.
    #[must_use]
    pub fn current(&self, partition: u16) -> Option<Progress> {
        self.progress.get(usize::from(partition)).and_then(|sender| *sender.borrow())
    }

    /// Durable records of the journal that are not projected, in all partitions together.
    #[must_use]
    pub fn lag_events(&self, log: &dyn Log) -> u64 {
        let lag = |partition| {
            let end = *log.durable_end(Topic::Journal, partition).borrow();
            end.saturating_sub(self.current(partition).map_or(0, |progress| progress.next_offset))
        };
        (0..self.partitions()).map(lag).sum()
    }

    /// Waits until a partition is projected up to a position, and returns the progress then.
    ///
    /// # Errors
    /// When that takes longer than the time given.
    pub async fn wait(&self, wanted: Position, patience: Duration) -> Result<Progress, NotYet> {
        let missing = NotYet { wanted, reached: None };
        let partition = usize::from(wanted.partition);
        let (sender, wanted_end) = self.progress.get(partition).zip(self.wanted_end.get(partition)).ok_or(missing)?;
        let mut receiver = sender.subscribe();
        let reached = |progress: &Option<Progress>| progress.is_some_and(|p| wanted.is_at_or_before(p.position));
        let current = *receiver.borrow();
        if !reached(&current) {
            // The offset of an earlier epoch's position is no cursor: it would say nothing about how far to fold.
            if current.is_none_or(|progress| progress.position.epoch <= wanted.epoch) {
                wanted_end.fetch_max(wanted.offset.saturating_add(1), Ordering::AcqRel);
            }
            self.wants.send_modify(|count| *count += 1);
        }
        let waited = tokio::time::timeout(patience, receiver.wait_for(reached)).await;
        match waited {
            Ok(Ok(progress)) => progress.ok_or(missing),
            Ok(Err(_)) | Err(_) => Err(NotYet { wanted, reached: sender.borrow().map(|progress| progress.position) }),
        }
    }

    /// Whether some reader waits, or waited in vain, for more of a partition than is projected.
    #[must_use]
    pub fn is_wanted(&self, partition: u16) -> bool {
        self.wanted_end(partition) > self.current(partition).map_or(0, |progress| progress.next_offset)
    }

    /// One past the highest offset that some reader waited for in a partition.
    #[must_use]
    pub fn wanted_end(&self, partition: u16) -> u64 {
        self.wanted_end.get(usize::from(partition)).map_or(0, |end| end.load(Ordering::Acquire))
    }

    /// Changes whenever a reader begins to wait.
    #[must_use]
    pub fn wants(&self) -> watch::Receiver<u64> {
        self.wants.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(offset: u64) -> Progress {
        Progress {
            journal_id: uuid::Uuid::nil(),
            next_offset: offset + 1,
            position: Position { epoch: 0, partition: 1, offset },
        }
    }

    #[tokio::test]
    async fn waiting_ends_when_the_position_is_projected() {
        let board = ProgressBoard::new(2);
        let wanted = progress(7).position;
        assert_eq!(board.wait(wanted, Duration::from_millis(1)).await, Err(NotYet { wanted, reached: None }));
        assert_eq!(board.wanted_end(1), 8);
        board.publish(1, progress(6));
        assert_eq!(
            board.wait(wanted, Duration::from_millis(1)).await,
            Err(NotYet { wanted, reached: Some(progress(6).position) })
        );
        let (waited, ()) = tokio::join!(board.wait(wanted, Duration::from_secs(5)), async {
            board.publish(1, progress(9));
        });
        assert_eq!(waited, Ok(progress(9)));
    }

    #[tokio::test]
    async fn a_partition_that_is_not_there_is_never_reached() {
        let board = ProgressBoard::new(1);
        assert!(board.wait(progress(0).position, Duration::from_millis(1)).await.is_err());
    }

    #[tokio::test]
    async fn what_is_lost_is_waited_for_again() {
        let board = ProgressBoard::new(2);
        board.publish(1, progress(9));
        board.retract(1);
        let wanted = progress(7).position;
        assert_eq!(board.wait(wanted, Duration::from_millis(1)).await, Err(NotYet { wanted, reached: None }));
        board.publish(1, progress(9));
        assert_eq!(board.wait(wanted, Duration::from_millis(1)).await, Ok(progress(9)));
    }

    #[tokio::test]
    async fn whoever_begins_to_wait_is_noticed() {
        let board = ProgressBoard::new(2);
        let mut wants = board.wants();
        board.publish(1, progress(9));
        board.wait(progress(9).position, Duration::from_secs(5)).await.unwrap();
        assert!(!wants.has_changed().unwrap(), "what is there already is nothing to hurry for");
        let huge = Position { offset: u64::MAX, ..progress(0).position };
        assert!(board.wait(huge, Duration::from_millis(1)).await.is_err());
        assert!(wants.has_changed().unwrap());
        wants.borrow_and_update();
        assert_eq!(board.wanted_end(1), u64::MAX);
    }
}
