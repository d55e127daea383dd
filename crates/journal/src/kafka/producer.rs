//! The producer, and the thread that takes its deliveries.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer as _},
};

use super::{
    KafkaLogConfig, KafkaOpenError,
    client::{MAX_MESSAGE_BYTES, Reports},
    delivery::{Consequence, Deliveries, failure},
    pending::{Answer, Delivery, Pending, Place},
    record::{self, OVERHEAD_BYTES},
    shared::Shared,
};
use crate::{LogError, NewRecord, Outcome};

/// The longest that nothing is looked at while the library has nothing to say. A little more than whole milliseconds:
/// the library cuts what is left to those, and spins for a remainder.
const POLL: Duration = Duration::from_micros(50_050);

/// Sends records.
pub(super) struct Producer {
    settings: ClientConfig,
    shared: Arc<Shared>,
    reports: Reports,
    close_timeout: Duration,
    running: RwLock<Running>,
}

/// A producer of the library and the thread that takes its deliveries.
struct Running {
    producer: Arc<BaseProducer<Deliveries>>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Producer {
    pub(super) fn new(
        config: &KafkaLogConfig,
        common: &ClientConfig,
        shared: Arc<Shared>,
        reports: Reports,
    ) -> Result<Self, KafkaOpenError> {
        let mut settings = common.clone();
        settings
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.codec", "lz4")
            .set("linger.ms", config.linger_ms.to_string())
            .set("message.timeout.ms", config.delivery_timeout_ms.to_string())
            .set("message.max.bytes", MAX_MESSAGE_BYTES)
            // Our own bounds are met first: they count whole appends.
            .set("queue.buffering.max.messages", (config.max_queued_records * 2).to_string())
            .set("queue.buffering.max.kbytes", ((config.max_queued_bytes >> 9) + 1_024).to_string());
        let close_timeout = Duration::from_millis(config.delivery_timeout_ms);
        let running = Running::start(&settings, &shared, &reports, close_timeout)?;
        Ok(Self { settings, shared, reports, close_timeout, running: RwLock::new(running) })
    }

    /// Takes records in, all or none, in the order of calls; the answer comes when all are acknowledged.
    pub(super) fn send(
        &self,
        epoch: u8,
        records: &[NewRecord],
    ) -> Result<tokio::sync::oneshot::Receiver<Answer>, LogError> {
        let shared = &self.shared;
        let mut places = Vec::with_capacity(records.len());
        let mut bytes = 0;
        for record in records {
            let slot = shared
                .layout
                .slot(record.topic, record.partition)
                .ok_or_else(|| LogError::no_such_partition(record.topic, record.partition))?;
            places.push(Place { slot, partition: record.partition });
            bytes += size(record);
        }
        shared.health.admit(places.iter().map(|place| place.slot))?;
        shared.bound.reserve(records.len(), bytes)?;
        let (pending, answer) = Pending::new(epoch, places);
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        for (nth, record) in records.iter().enumerate() {
            let delivery = Box::new(Delivery { pending: Arc::clone(&pending), nth, bytes: size(record) });
            let mut message = BaseRecord::with_opaque_to(shared.topics.name(record.topic), delivery)
                .partition(i32::from(record.partition))
                .key(&*record.key)
                .timestamp(record::broker_timestamp_ms(record.timestamp_us))
                .headers(record::headers(record, None));
            message.payload = record::value(record);
            let sent = running.producer.send(message);
            if let Err((error, back)) = sent {
                let (mut error, consequence) = failure(&error, back.topic, i32::from(record.partition));
                // It never left this function.
                error.outcome = Outcome::NotStored;
                if consequence == Consequence::ProducerFailed {
                    shared.health.producer_failed(&error.detail);
                }
                shared.bound.release(1, back.delivery_opaque.bytes);
                back.delivery_opaque.pending.failed(error, &shared.ends);
            }
        }
        Ok(answer)
    }

    /// Replaces a producer that is beyond use. What it had not delivered fails, as unknown.
    pub(super) fn remake(&self) -> Result<(), KafkaOpenError> {
        let new = Running::start(&self.settings, &self.shared, &self.reports, self.close_timeout)?;
        let mut old = std::mem::replace(&mut *self.running.write().unwrap_or_else(PoisonError::into_inner), new);
        old.close();
        Ok(())
    }

    /// Waits, bounded, until everything is acknowledged or failed.
    pub(super) fn close(&self) {
        self.running.write().unwrap_or_else(PoisonError::into_inner).close();
    }
}

/// What a record counts for in the queue.
fn size(record: &NewRecord) -> usize {
    record.key.len() + record.value.len() + OVERHEAD_BYTES
}

impl Running {
    fn start(
        settings: &ClientConfig,
        shared: &Arc<Shared>,
        reports: &Reports,
        close_timeout: Duration,
    ) -> Result<Self, KafkaOpenError> {
        let deliveries = Deliveries { shared: Arc::clone(shared), reports: reports.clone() };
        let producer: BaseProducer<Deliveries> =
            settings.create_with_context(deliveries).map_err(|error| KafkaOpenError::Client(error.to_string()))?;
        let producer = Arc::new(producer);
        let closing = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("kafka-deliveries".to_owned()).spawn({
            let (producer, closing) = (Arc::clone(&producer), Arc::clone(&closing));
            move || {
                while !closing.load(SeqCst) {
                    producer.poll(POLL);
                }
                // One that failed for good delivers nothing any more; dropping it fails what is left.
                let until = Instant::now() + close_timeout;
                while producer.in_flight_count() > 0
                    && Instant::now() < until
                    && producer.client().fatal_error().is_none()
                {
                    producer.poll(Duration::from_millis(5));
                }
            }
        })?;
        Ok(Self { producer, closing, thread: Some(thread) })
    }

    fn close(&mut self) {
        self.closing.store(true, SeqCst);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that takes Kafka's deliveries had panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
