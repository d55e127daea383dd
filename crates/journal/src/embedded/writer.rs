//! The one thread that writes.
//!
//! Whatever waits becomes one group: one batch, one sync, then the acknowledgements. While a group is being synced the
//! next one gathers, and a moment longer if it has fewer appends than groups had lately: the number of syncs adapts to the
//! load.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use hindcast_domain::Position;

use super::{
    format::ChunkBuilder,
    pending::Pending,
    queue::Queue,
    storage::{Chunk, Storage},
};
use crate::{LogError, Outcome, ends::Ends};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Writer {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) ends: Arc<Ends>,
    pub(crate) epoch: u8,
    /// The offset of the next record, by slot.
    pub(crate) next: Vec<u64>,
}

/// What is left of a group once its records are in chunks.
struct Group {
    replies: Vec<(Pending, Vec<Position>)>,
    records: usize,
    bytes: usize,
}

impl Writer {
    /// Writes until the queue is closed and empty, or the log can't be mended.
    pub(crate) fn run(mut self) {
        while let Some(waiting) = self.queue.take_group() {
            let (chunks, group) = self.arrange(waiting);
            match self.commit(chunks) {
                Ok(()) => self.acknowledge(group),
                Err(error) => {
                    self.fail(group, &error);
                    if !self.mend() {
                        return;
                    }
                }
            }
        }
    }

    /// Gives every record its offset and puts it into a chunk.
    fn arrange(&mut self, waiting: Vec<Pending>) -> (Vec<Chunk>, Group) {
        let mut chunks = Vec::new();
        let mut filling: Vec<Option<ChunkBuilder>> = Vec::new();
        filling.resize_with(self.next.len(), || None);
        let mut group = Group { replies: Vec::with_capacity(waiting.len()), records: 0, bytes: 0 };
        for pending in waiting {
            let encoded = &pending.encoded;
            let positions = encoded
                .places
                .iter()
                .map(|place| Position {
                    epoch: self.epoch,
                    partition: place.partition,
                    offset: self.next.get(place.slot).map_or(0, |next| next + place.nth),
                })
                .collect();
            for segment in &encoded.segments {
                let (Some(next), Some(filling)) = (self.next.get_mut(segment.slot), filling.get_mut(segment.slot))
                else {
                    continue;
                };
                if filling.as_ref().is_some_and(|chunk| !chunk.has_room_for(segment.bytes.len()))
                    && let Some(full) = filling.take()
                {
                    chunks.push(Chunk { slot: segment.slot, last_offset: *next - 1, bytes: full.finish() });
                }
                filling.get_or_insert_with(ChunkBuilder::new).add(segment.records, &segment.bytes);
                *next += u64::from(segment.records);
            }
            group.records += encoded.places.len();
            group.bytes += encoded.bytes;
            group.replies.push((pending, positions));
        }
        for (slot, (filling, next)) in filling.into_iter().zip(&self.next).enumerate() {
            if let Some(last) = filling {
                chunks.push(Chunk { slot, last_offset: *next - 1, bytes: last.finish() });
            }
        }
        (chunks, group)
    }

    /// A storage that panics must not leave everybody waiting: nobody knows what it did.
    fn commit(&self, chunks: Vec<Chunk>) -> Result<(), LogError> {
        catch_unwind(AssertUnwindSafe(|| self.storage.commit(chunks)))
            .unwrap_or_else(|_| Err(LogError::unknown("writing to the log panicked")))
    }

    fn acknowledge(&self, group: Group) {
        let counters = &self.queue.counters;
        counters.syncs.fetch_add(1, Relaxed);
        counters.records.fetch_add(group.records as u64, Relaxed);
        counters.bytes.fetch_add(group.bytes as u64, Relaxed);
        // Before the replies: who has one finds the record readable.
        for (slot, next) in self.next.iter().enumerate() {
            self.ends.raise(slot, *next);
        }
        self.queue.release(group.records, group.bytes);
        for (pending, positions) in group.replies {
            // Nobody waits any more if the future was dropped.
            drop(pending.reply.send(Ok(positions)));
        }
    }

    fn fail(&self, group: Group, error: &LogError) {
        tracing::error!(%error, records = group.records, "writing to the log failed");
        self.queue.counters.failures.fetch_add(1, Relaxed);
        // First, so that whoever repeats at once is refused.
        self.queue.go_down(&LogError { outcome: Outcome::NotStored, ..error.clone() });
        self.queue.release(group.records, group.bytes);
        for (pending, _) in group.replies {
            drop(pending.reply.send(Err(error.clone())));
        }
    }

    /// Reopens the storage, trying again until it works. False if the queue was closed or the log is beyond mending.
    fn mend(&mut self) -> bool {
        let mut pause = FIRST_PAUSE;
        loop {
            if self.queue.closed_within(pause) {
                return false;
            }
            let reopened = catch_unwind(AssertUnwindSafe(|| self.storage.reopen()))
                .unwrap_or_else(|_| Err(LogError::not_stored("reopening the log panicked")));
            match reopened.and_then(|()| self.check()) {
                Ok(()) => {
                    tracing::info!("the log was reopened and checked: nothing acknowledged is missing");
                    self.queue.come_up();
                    return true;
                }
                Err(error) => {
                    tracing::warn!(%error, "the log is still down");
                    self.queue.go_down(&error);
                    if !error.retryable {
                        return false;
                    }
                }
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// What was acknowledged must be there; what wasn't and is there nevertheless is durable from now on.
    fn check(&mut self) -> Result<(), LogError> {
        let mut found = Vec::with_capacity(self.next.len());
        for slot in 0..self.next.len() {
            let end = self.storage.last_offset(slot)?.map_or(0, |last| last + 1);
            let acknowledged = self.ends.get(slot);
            if end < acknowledged {
                return Err(LogError {
                    retryable: false,
                    outcome: Outcome::NotStored,
                    detail: format!(
                        "after a failure the log ends at {end} in a partition in which {acknowledged} records were \
                         acknowledged: stop, and restore it from an archive"
                    ),
                });
            }
            found.push(end);
        }
        self.next = found;
        for (slot, next) in self.next.iter().enumerate() {
            self.ends.raise(slot, *next);
        }
        Ok(())
    }
}
