//! Reading typed events of a journal, as `--from` does, beside the raw client and the same decoding: a scan of the
//! embedded log's engine, or a consumer of Kafka's client library.

use std::{sync::Arc, time::Duration};

use super::{
    BenchError, blocking,
    journal::{self, Journal},
    places::Places,
    project::decode_all,
    raw_consumer,
    raw_engine::RawEngine,
    report::{Limit, Measured, Report},
};
use crate::serve::config::LogEngine;

const USERS: usize = 500;

pub(super) async fn run(places: &Places, measure: Duration) -> Result<Report, BenchError> {
    let events = journal::events_for(measure);
    let journal = Arc::new(Journal::filled(places.make()?, events, USERS).await?);
    let log_engine = places.log_engine();
    let result = blocking(move || {
        let records = journal.records() as f64;
        let (what, raw_s, ours_s) = match log_engine {
            LogEngine::Embedded => beside_the_engine(&journal)?,
            LogEngine::Kafka => beside_a_consumer(&journal)?,
        };
        Ok((Limit { what, per_second: records / raw_s }, Measured::rate(records / ours_s)))
    });
    let (limit, ours) = result.await?;
    Ok(Report::new("replay", places.engine(), 0.60, ours, limit).with("events", events))
}

/// What the limit is, its seconds and ours.
type Seconds = (&'static str, f64, f64);

fn beside_the_engine(journal: &Journal) -> Result<Seconds, BenchError> {
    let raw = RawEngine::copy_of(journal)?;
    // Once before, so that neither side pays for the first read of the files.
    raw.scan_and_decode(journal.codec())?;
    decode_all(journal, 1)?;
    let raw_s = raw.scan_and_decode(journal.codec())?;
    let ours_s = decode_all(journal, 1)?;
    Ok(("scanning the raw engine, one record a key, and decoding", raw_s, ours_s))
}

fn beside_a_consumer(journal: &Journal) -> Result<Seconds, BenchError> {
    let raw = || raw_consumer::read_and_decode(&journal.config().log.kafka, &journal.ends(), journal.codec());
    raw()?;
    decode_all(journal, 1)?;
    let raw_s = raw()?;
    let ours_s = decode_all(journal, 1)?;
    Ok(("a raw rdkafka consumer of all partitions, and decoding", raw_s, ours_s))
}
