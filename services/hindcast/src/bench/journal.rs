//! A journal of its own for the benchmarks that need no HTTP.

use std::{sync::Arc, time::Duration};

use hindcast_bodies::{ItemBody, Stamp, parse_item, split_ndjson};
use hindcast_domain::{Instruments, TimestampUs, partition_of};
use hindcast_journal::{Log, NewRecord, RecordType, Topic};
use hindcast_schemas::{Codec, Event};
use uuid::Uuid;

use super::{BenchError, blocking, bodies, places::Place};
use crate::serve::{self, ServeConfig};

/// A log in a place of its own, and the codec for its events. To be closed, as dropping a log blocks.
pub(super) struct Journal {
    log: Arc<dyn Log>,
    codec: Arc<Codec>,
    place: Place,
}

const EVENTS_PER_SECOND_OF_MEASURE: usize = 100_000;
const MAX_EVENTS: usize = 5_000_000;

/// Events of a journal that takes about as long to read as is to be measured.
pub(super) fn events_for(measure: Duration) -> usize {
    let seconds = usize::try_from(measure.as_secs()).unwrap_or(usize::MAX).max(1);
    seconds.saturating_mul(EVENTS_PER_SECOND_OF_MEASURE).min(MAX_EVENTS)
}

/// Events appended at once when a journal is filled, at most.
const BATCH_EVENTS: usize = 1_000;
/// Up to here each user sends whole batches.
const FEW_USERS: usize = 1_000;
/// How often each of more users comes by at least.
const TURNS: usize = 3;

impl Journal {
    pub(super) async fn empty(place: Place) -> Result<Self, BenchError> {
        let config = place.config.clone();
        let (log, codec) = blocking(move || Ok((serve::open_log(&config)?, serve::open_bare_codec(&config)?))).await?;
        Ok(Self { log, codec: Arc::new(codec), place })
    }

    /// A journal with at least so many events, of users who each send signals and trades by turns.
    pub(super) async fn filled(place: Place, events: usize, users: usize) -> Result<Self, BenchError> {
        let journal = Self::empty(place).await?;
        match journal.fill(events, users).await {
            Ok(()) => Ok(journal),
            Err(error) => journal.close().await.and(Err(error)),
        }
    }

    async fn fill(&self, events: usize, users: usize) -> Result<(), BenchError> {
        // Of many users each has few events, and all of them have come by before the first one comes again.
        let batch_events = if users <= FEW_USERS { BATCH_EVENTS } else { (events / users / TURNS).max(2) };
        let mut records = Vec::new();
        for batch in 0..events.div_ceil(batch_events) {
            let user = format!("bench-{}", batch % users);
            let body = bodies::batch(batch as u64, batch_events);
            records.append(&mut records_of(&self.codec, &user, &body, self.partitions())?);
            if records.len() >= BATCH_EVENTS {
                self.append(std::mem::take(&mut records)).await?;
            }
        }
        self.append(records).await
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<(), BenchError> {
        if !records.is_empty() {
            self.log.append(records).await.map_err(|error| BenchError(error.to_string()))?;
        }
        Ok(())
    }

    pub(super) fn log(&self) -> Arc<dyn Log> {
        Arc::clone(&self.log)
    }

    pub(super) fn codec(&self) -> &Arc<Codec> {
        &self.codec
    }

    /// Of the place that it is in.
    pub(super) fn config(&self) -> &ServeConfig {
        &self.place.config
    }

    pub(super) fn partitions(&self) -> u16 {
        self.log.identity().partitions
    }

    /// One past the last durable record of each partition.
    pub(super) fn ends(&self) -> Vec<u64> {
        (0..self.partitions()).map(|partition| *self.log.durable_end(Topic::Journal, partition).borrow()).collect()
    }

    /// Durable records of the journal, all partitions together.
    pub(super) fn records(&self) -> u64 {
        self.ends().iter().sum()
    }

    pub(super) async fn close(self) -> Result<(), BenchError> {
        blocking(move || {
            drop(self);
            Ok(())
        })
        .await
    }
}

/// The records that ingress makes of an NDJSON batch.
pub(super) fn records_of(
    codec: &Codec,
    user: &str,
    batch: &[u8],
    partitions: u16,
) -> Result<Vec<NewRecord>, BenchError> {
    let instruments = Instruments::default();
    let partition = partition_of(user.as_bytes(), partitions);
    let items = split_ndjson(batch).map_err(|error| BenchError(error.to_string()))?;
    items
        .into_iter()
        .enumerate()
        .map(|(number, item)| {
            let item: ItemBody<'_> = parse_item(item, &instruments).map_err(|error| BenchError(error.to_string()))?;
            let now = TimestampUs(1_760_000_000_000_000 + number as i64 * 60_000_000);
            let event = item.into_event(user, &Stamp { now, event_id: Uuid::now_v7() });
            let mut value = Vec::with_capacity(256);
            codec.encode_event(&event, &mut value).map_err(|error| BenchError(error.to_string()))?;
            let record_type = match event {
                Event::Signal(_) => RecordType::Signal,
                Event::Trade(_) => RecordType::Trade,
                Event::Void(_) => RecordType::Void,
            };
            Ok(NewRecord {
                topic: Topic::Journal,
                partition,
                key: user.as_bytes().into(),
                record_type,
                timestamp_us: now.0,
                traceparent: None,
                value,
            })
        })
        .collect()
}
