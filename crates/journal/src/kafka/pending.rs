//! An append on its way: answered once all its records are.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use hindcast_domain::Position;
use tokio::sync::oneshot;

use crate::{LogError, Outcome, ends::Ends};

/// What an append is answered.
pub(super) type Answer = Result<Vec<Position>, LogError>;

/// Where a record of an append goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) slot: usize,
    pub(super) partition: u16,
}

/// An append on its way.
#[derive(Debug)]
pub(super) struct Pending {
    epoch: u8,
    places: Box<[Place]>,
    offsets: Box<[AtomicU64]>,
    left: AtomicUsize,
    failures: Mutex<Failures>,
    reply: Mutex<Option<oneshot::Sender<Answer>>>,
}

#[derive(Debug, Default)]
struct Failures {
    first: Option<LogError>,
    not_stored: usize,
    any_final: bool,
}

/// One record of an append, given to the client library with it and given back with the outcome.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) pending: Arc<Pending>,
    pub(super) nth: usize,
    pub(super) bytes: usize,
}

impl Pending {
    pub(super) fn new(epoch: u8, places: Vec<Place>) -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        let pending = Self {
            epoch,
            offsets: places.iter().map(|_| AtomicU64::new(0)).collect(),
            left: AtomicUsize::new(places.len()),
            places: places.into(),
            failures: Mutex::default(),
            reply: Mutex::new(Some(reply)),
        };
        (Arc::new(pending), answer)
    }

    pub(super) fn place(&self, nth: usize) -> Option<Place> {
        self.places.get(nth).copied()
    }

    /// A record is durable at an offset.
    pub(super) fn delivered(&self, nth: usize, offset: u64, ends: &Ends) {
        if let Some(place) = self.offsets.get(nth) {
            place.store(offset, Release);
        }
        self.one_less(ends);
    }

    /// A record failed.
    pub(super) fn failed(&self, error: LogError, ends: &Ends) {
        {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.not_stored += usize::from(error.outcome == Outcome::NotStored);
            failures.any_final |= !error.retryable;
            failures.first.get_or_insert(error);
        }
        self.one_less(ends);
    }

    fn one_less(&self, ends: &Ends) {
        if self.left.fetch_sub(1, AcqRel) != 1 {
            return;
        }
        // Before the answer: who has it finds the records readable. The last ones first, so that each partition's end
        // rises once.
        for (place, offset) in self.places.iter().zip(&self.offsets).rev() {
            let offset = offset.load(Acquire);
            if offset > 0 && offset >= ends.get(place.slot) {
                ends.raise(place.slot, offset + 1);
            }
        }
        let Some(reply) = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // Nobody waits any more if the future was dropped.
        drop(reply.send(self.answer()));
    }

    fn answer(&self) -> Answer {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match &failures.first {
            Some(first) => Err(LogError {
                retryable: !failures.any_final,
                // It surely did not happen only if it did not of any record.
                outcome: if failures.not_stored == self.places.len() { Outcome::NotStored } else { Outcome::Unknown },
                detail: first.detail.clone(),
            }),
            None => Ok(self
                .places
                .iter()
                .zip(&self.offsets)
                .map(|(place, offset)| Position {
                    epoch: self.epoch,
                    partition: place.partition,
                    offset: offset.load(Acquire),
                })
                .collect()),
        }
    }
}

/// What waits to be acknowledged: bounded.
#[derive(Debug)]
pub(super) struct Bound {
    max_records: usize,
    max_bytes: usize,
    records: AtomicUsize,
    bytes: AtomicUsize,
}

impl Bound {
    pub(super) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { max_records, max_bytes, records: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    /// Takes a whole append in, or says at once why not.
    pub(super) fn reserve(&self, records: usize, bytes: usize) -> Result<(), LogError> {
        if records > self.max_records || bytes > self.max_bytes {
            return Err(LogError {
                retryable: false,
                outcome: Outcome::NotStored,
                detail: format!("an append of {records} records and {bytes} bytes is larger than the log's queue"),
            });
        }
        let all_records = self.records.fetch_add(records, Relaxed) + records;
        let all_bytes = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        if all_records <= self.max_records && all_bytes <= self.max_bytes {
            return Ok(());
        }
        self.release(records, bytes);
        Err(LogError::not_stored(format!(
            "the log's queue is full: {} records, {} bytes",
            all_records - records,
            all_bytes - bytes
        )))
    }

    pub(super) fn release(&self, records: usize, bytes: usize) {
        self.records.fetch_sub(records, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Records and bytes waiting now.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.records.load(Relaxed), self.bytes.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::wait;

    fn pending(records: u16) -> (Arc<Pending>, oneshot::Receiver<Answer>) {
        let places = (0..records).map(|partition| Place { slot: usize::from(partition), partition }).collect();
        Pending::new(3, places)
    }

    #[test]
    fn positions_come_in_the_order_given_whatever_the_order_of_deliveries() {
        let ends = Ends::new(3);
        let (pending, mut answer) = pending(3);
        pending.delivered(2, 30, &ends);
        pending.delivered(0, 10, &ends);
        assert!(answer.try_recv().is_err(), "one record is still on its way");
        pending.delivered(1, 20, &ends);
        assert_eq!([0, 1, 2].map(|slot| ends.get(slot)), [11, 21, 31]);
        let positions: Vec<_> = wait(answer).unwrap().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(positions, ["3-0-10", "3-1-20", "3-2-30"]);
    }

    #[test]
    fn an_append_surely_did_not_happen_only_if_none_of_its_records_did() {
        let cases = [
            (vec![None, Some(Outcome::NotStored)], Outcome::Unknown),
            (vec![Some(Outcome::NotStored), Some(Outcome::NotStored)], Outcome::NotStored),
            (vec![Some(Outcome::Unknown), Some(Outcome::NotStored)], Outcome::Unknown),
        ];
        for (fates, expected) in cases {
            let ends = Ends::new(2);
            let (pending, answer) = pending(2);
            for (nth, fate) in fates.into_iter().enumerate() {
                match fate {
                    None => pending.delivered(nth, 1, &ends),
                    Some(outcome) => {
                        pending.failed(LogError { retryable: true, outcome, detail: String::new() }, &ends);
                    }
                }
            }
            let error = wait(answer).unwrap().unwrap_err();
            assert_eq!((error.outcome, error.retryable), (expected, true));
        }
    }

    #[test]
    fn the_queue_takes_whole_appends_up_to_its_bounds() {
        let bound = Bound::new(10, 100);
        bound.reserve(6, 10).unwrap();
        assert!(bound.reserve(5, 10).unwrap_err().retryable, "too many records at present");
        assert!(bound.reserve(1, 91).unwrap_err().retryable, "too many bytes at present");
        assert!(!bound.reserve(11, 1).unwrap_err().retryable, "too many records for ever");
        bound.reserve(4, 90).unwrap();
        bound.release(10, 100);
        assert_eq!(bound.waiting(), (0, 0));
    }
}
