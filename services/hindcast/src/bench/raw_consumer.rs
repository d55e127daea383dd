//! A consumer of Kafka's client library and nothing around it: the limit of `replay` there.

use std::time::{Duration, Instant};

use hindcast_journal::{
    Topic,
    kafka::{KafkaLogConfig, bare},
};
use hindcast_schemas::Codec;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};

use super::BenchError;

/// The longest that nothing comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds to read all partitions up to their ends at once and to decode every event. The client is made within that
/// time, as ours makes its clients.
pub(super) fn read_and_decode(config: &KafkaLogConfig, ends: &[u64], codec: &Codec) -> Result<f64, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError(format!("the raw consumer: {error}"));
    let start = Instant::now();
    let mut settings = bare::settings(config).map_err(|error| failed(&error))?;
    settings
        .set("group.id", format!("{}.raw", config.topic_prefix))
        .set("enable.auto.commit", "false")
        // By default it fetches nothing for a second once its buffer is full: no limit worth being compared with.
        .set("fetch.queue.backoff.ms", "2")
        .set("auto.offset.reset", "error");
    let consumer: BaseConsumer = settings.create().map_err(|error| failed(&error))?;
    let topic = bare::topic_name(config, Topic::Journal);
    let mut list = TopicPartitionList::new();
    let mut left = 0;
    for (partition, end) in (0..).zip(ends) {
        // The genesis record is no event.
        list.add_partition_offset(&topic, partition, Offset::Offset(1)).map_err(|error| failed(&error))?;
        left += end.saturating_sub(1);
    }
    consumer.assign(&list).map_err(|error| failed(&error))?;
    while left > 0 {
        let message = match consumer.poll(PATIENCE) {
            Some(message) => message.map_err(|error| failed(&error))?,
            None => return Err(failed(&format_args!("nothing came in {} s", PATIENCE.as_secs()))),
        };
        let event = codec.decode_event(message.payload().unwrap_or_default()).map_err(|error| failed(&error))?;
        std::hint::black_box(&event);
        left -= 1;
    }
    Ok(start.elapsed().as_secs_f64())
}
