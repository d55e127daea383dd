//! What the functions of the contract share.

use std::{
    any::Any,
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use hindcast_domain::Position;

use crate::{Log, LogError, NewRecord, Outcome, ReadLimit, Record, RecordType, Topic};

/// A log under test.
pub struct Subject {
    pub(super) log: Arc<dyn Log>,
    /// Whether an append may fail, or be there twice.
    pub(super) faulty: bool,
    /// Every record that may be in the log, so that others are noticed.
    attempted: Mutex<HashSet<Likeness>>,
    _keep: Option<Box<dyn Any + Send + Sync>>,
}

/// All of a record but its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Likeness {
    record_type: RecordType,
    timestamp_us: i64,
    key: Vec<u8>,
    traceparent: Option<Box<str>>,
    value: Vec<u8>,
}

impl Subject {
    /// A log on which nothing fails and nothing is written twice.
    #[must_use]
    pub fn exact(log: impl Log) -> Self {
        Self { log: Arc::new(log), faulty: false, attempted: Mutex::default(), _keep: None }
    }

    /// A log on which appends may fail, or be written twice.
    #[must_use]
    pub fn faulty(log: impl Log) -> Self {
        Self { faulty: true, ..Self::exact(log) }
    }

    /// Keeps something, such as the log's folder, until the log was dropped.
    #[must_use]
    pub fn keeping(mut self, keep: impl Any + Send + Sync) -> Self {
        self._keep = Some(Box::new(keep));
        self
    }

    /// Appends, again and again if it fails, until acknowledged.
    pub(super) fn append(&self, records: &[NewRecord]) -> Vec<Position> {
        self.note(records);
        for _ in 0..10_000 {
            match wait(self.log.append(records.to_vec())) {
                Ok(positions) => return positions,
                Err(error) => self.tolerate(&error),
            }
        }
        panic!("an append failed 10,000 times");
    }

    /// Notes that these records may be in the log from now on.
    pub(super) fn note(&self, records: &[NewRecord]) {
        let mut attempted = self.attempted.lock().unwrap_or_else(PoisonError::into_inner);
        attempted.extend(records.iter().map(Likeness::of_new));
    }

    /// Failing is allowed only if it can be repeated and only on a faulty log.
    pub(super) fn tolerate(&self, error: &LogError) {
        assert!(self.faulty && error.retryable, "a log without faults failed: {error:?}");
        // It may be down for a moment.
        thread::sleep(std::time::Duration::from_micros(200));
    }

    /// Reads a whole partition up to its durable end, and checks what must hold of any.
    pub(super) fn read_all(&self, topic: Topic, partition: u16) -> Vec<Record> {
        let end = *self.log.durable_end(topic, partition).borrow();
        let mut records = Vec::new();
        let mut next = 0;
        while next < end {
            next = self.read(topic, partition, next, LIMIT, &mut records);
        }
        self.check(topic, partition, &records);
        records
    }

    /// One read, repeated while it fails.
    pub(super) fn read(
        &self,
        topic: Topic,
        partition: u16,
        from: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> u64 {
        loop {
            let before = into.len();
            match self.log.read(topic, partition, from, limit, into) {
                Ok(next) => return next,
                Err(error) => {
                    self.tolerate(&error);
                    into.truncate(before);
                }
            }
        }
    }

    fn check(&self, topic: Topic, partition: u16, records: &[Record]) {
        let attempted = self.attempted.lock().unwrap_or_else(PoisonError::into_inner);
        let epoch = self.log.identity().epoch;
        for (nth, record) in records.iter().enumerate() {
            let what = || format!("{} {partition}, record {nth}: {record:?}", topic.name());
            assert_eq!(record.offset, nth as u64, "a gap or disorder: {}", what());
            assert_eq!(record.position, Position { epoch, partition, offset: record.offset }, "{}", what());
            assert_eq!(record.record_type == RecordType::Genesis, nth == 0, "{}", what());
            assert!(nth == 0 || attempted.contains(&Likeness::of(record)), "nobody wrote this: {}", what());
        }
    }

    /// Checks that an acknowledged record stands where it was said to, unchanged.
    pub(super) fn check_stored(&self, stored: &[Record], record: &NewRecord, position: Position) {
        let found = usize::try_from(position.offset).ok().and_then(|offset| stored.get(offset));
        assert_eq!(
            found.map(Likeness::of),
            Some(Likeness::of_new(record)),
            "acknowledged at {position}, but not found there"
        );
        assert_eq!(position.partition, record.partition);
        assert_eq!(position.epoch, self.log.identity().epoch);
    }
}

impl Likeness {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            record_type: record.record_type,
            timestamp_us: record.timestamp_us,
            key: record.key.to_vec(),
            traceparent: record.traceparent.clone(),
            value: record.value.to_vec(),
        }
    }

    pub(super) fn of_new(record: &NewRecord) -> Self {
        Self {
            record_type: record.record_type,
            timestamp_us: record.timestamp_us,
            key: record.key.to_vec(),
            traceparent: record.traceparent.clone(),
            value: record.value.clone(),
        }
    }
}

/// More than the contract writes into any partition.
pub(super) const LIMIT: ReadLimit = ReadLimit { records: 10_000, bytes: 1 << 30 };

/// A record of the journal with a body of its own.
pub(super) fn record(partition: u16, body: &str) -> NewRecord {
    record_to(Topic::Journal, partition, body)
}

/// A record with a body of its own.
pub(super) fn record_to(topic: Topic, partition: u16, body: &str) -> NewRecord {
    NewRecord {
        topic,
        partition,
        key: b"some-user".as_slice().into(),
        record_type: RecordType::Signal,
        timestamp_us: 1_700_000_000_000_000,
        traceparent: None,
        value: body.as_bytes().to_vec(),
    }
}

/// Appends to a partition that doesn't exist: refused for good.
pub(super) fn assert_refused(error: &LogError) {
    assert!(!error.retryable && error.outcome == Outcome::NotStored, "{error:?}");
}

/// The seed of a test: from `HINDCAST_SEED` if that is set, else new each time. Named if the test fails.
#[derive(Debug)]
pub struct Seed {
    /// The seed.
    pub value: u64,
    test: &'static str,
}

impl Seed {
    /// Draws or takes the seed for a test.
    #[must_use]
    pub fn new(test: &'static str) -> Self {
        let given = std::env::var("HINDCAST_SEED").ok();
        let value = given.map_or_else(
            || uuid::Uuid::now_v7().as_u64_pair().1,
            |text| text.parse().expect("HINDCAST_SEED is a number"),
        );
        Self { value, test }
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}: HINDCAST_SEED={} repeats this", self.test, self.value);
        }
    }
}

/// Waits for a future on this thread; needs no runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    crate::wait::wait(future)
}
