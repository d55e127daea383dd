//! A producer of Kafka's client library and nothing around it: the limit of `ingest` there.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Relaxed},
        mpsc,
    },
    time::{Duration, Instant},
};

use hindcast_journal::{
    NewRecord, Topic,
    kafka::{KafkaLogConfig, bare},
};
use rdkafka::{
    ClientContext,
    producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer},
};

use super::{BenchError, bodies::by_turns};

/// The longest that nothing is acknowledged.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is sent, and for how long.
#[derive(Clone, Copy)]
pub(super) struct RawPlan {
    /// Batches that are not acknowledged yet, at any time.
    pub(super) in_flight: usize,
    /// Before anything is counted.
    pub(super) warm_up: Duration,
    pub(super) measure: Duration,
}

/// Counts what is left of each batch in flight, and tells when one is acknowledged as a whole.
struct Deliveries {
    left: Vec<AtomicUsize>,
    acknowledged: mpsc::Sender<Result<usize, BenchError>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    /// Which of the batches in flight.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, nth: usize) {
        let told = match result {
            Err((error, _)) => Err(BenchError(format!("the raw producer: {error}"))),
            Ok(_) if self.left.get(nth).is_some_and(|left| left.fetch_sub(1, AcqRel) == 1) => Ok(nth),
            Ok(_) => return,
        };
        // Who asked may have given up.
        let _ = self.acknowledged.send(told);
    }
}

/// Records a second that are acknowledged, with as many batches in flight as planned at any time.
pub(super) fn records_per_second(
    config: &KafkaLogConfig,
    batches: &[Vec<NewRecord>],
    plan: RawPlan,
) -> Result<f64, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError(format!("the raw producer: {error}"));
    let mut settings = bare::settings(config).map_err(|error| failed(&error))?;
    settings
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.codec", "lz4")
        .set("linger.ms", config.linger_ms.to_string());
    let (acknowledged, acknowledgements) = mpsc::channel();
    let left = (0..plan.in_flight).map(|_| AtomicUsize::new(0)).collect();
    let producer: ThreadedProducer<Deliveries> =
        settings.create_with_context(Deliveries { left, acknowledged }).map_err(|error| failed(&error))?;
    let topic = bare::topic_name(config, Topic::Journal);
    let send = |nth: usize, batch: &[NewRecord]| {
        if let Some(left) = producer.context().left.get(nth) {
            left.store(batch.len(), Relaxed);
        }
        batch.iter().try_for_each(|record| {
            let new = BaseRecord::with_opaque_to(&topic, nth)
                .partition(i32::from(record.partition))
                .key(&*record.key)
                .payload(&*record.value)
                .timestamp(record.timestamp_us / 1_000)
                .headers(bare::headers(record));
            producer.send(new).map_err(|(error, _)| failed(&error))
        })
    };

    let start = Instant::now();
    let mut sizes = Vec::new();
    let mut number = 0;
    for nth in 0..plan.in_flight {
        let batch = by_turns(batches, number);
        number += 1;
        sizes.push(batch.len());
        send(nth, batch)?;
    }
    let mut counted = 0;
    loop {
        let nth = acknowledgements.recv_timeout(PATIENCE).map_err(|error| failed(&error))??;
        let elapsed = start.elapsed();
        let Some(size) = sizes.get_mut(nth) else { continue };
        if elapsed >= plan.warm_up + plan.measure {
            return Ok(counted as f64 / plan.measure.as_secs_f64());
        }
        if elapsed >= plan.warm_up {
            counted += *size;
        }
        let batch = by_turns(batches, number);
        number += 1;
        *size = batch.len();
        send(nth, batch)?;
    }
}
