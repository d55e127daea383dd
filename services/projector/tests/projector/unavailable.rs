//! What is not available for a while is waited for and never taken for bad data.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use hindcast_domain::partition_of;
use hindcast_journal::{
    Log, NewRecord, RecordType, Topic,
    faults::{Faults, FaultyLog},
};
use hindcast_schemas::{Codec, LocalRegistry, Registry, RegistryError};
use hindcast_views::{
    ViewStore,
    faults::{FaultyViews, ViewFaults},
    memory::MemoryViews,
};

use crate::{
    stream::Stream,
    world::{assert_refolded, assert_refolded_with, caught_up, memory_log, ports, ports_with, small_config, start},
};

#[tokio::test]
async fn log_and_store_fail_now_and_then() {
    for seed in 0..2 {
        let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
        let mut stream = Stream::new(Arc::clone(&log), seed, 40);
        stream.append(600).await;
        let bad_log: Arc<dyn Log> = Arc::new(FaultyLog::new(Arc::clone(&log), seed, Faults::FREQUENT));
        let bad_views: Arc<dyn ViewStore> =
            Arc::new(FaultyViews::new(Arc::clone(&views), seed, ViewFaults::some_of_all()));
        let ports = ports(&bad_log, &bad_views);
        let projector = start(&ports, &small_config());
        stream.append(300).await;
        caught_up(&ports, &projector).await;
        assert_eq!(*projector.failure().borrow(), None);
        drop(projector);
        // A write that failed and happens later is still to come.
        let faultless = crate::world::ports(&log, &views);
        let projector = start(&faultless, &small_config());
        caught_up(&faultless, &projector).await;
        projector.stop().unwrap();
        assert_refolded(&log, &views).await;
    }
}

/// Gives the known schemas a second time under other ids, which it can fetch only after a while.
struct SlowRegistry {
    failures_left: AtomicI64,
}

const FOREIGN: u32 = 1_000_000;

impl Registry for SlowRegistry {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        LocalRegistry.id_of(subject, schema_json)
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        if self.failures_left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Err(RegistryError { retryable: true, detail: "not now".into() });
        }
        LocalRegistry.schema_of(id % FOREIGN)
    }
}

#[tokio::test]
async fn a_schema_that_can_not_be_fetched_is_waited_for() {
    let (log, views) = (memory_log(), Arc::new(MemoryViews::new()) as Arc<dyn ViewStore>);
    // Another writer's records: the same bodies under ids that only a registry knows.
    let own = memory_log();
    Stream::new(Arc::clone(&own), 9, 20).append(400).await;
    let (mut records, limit) = (Vec::new(), hindcast_journal::ReadLimit { records: usize::MAX, bytes: usize::MAX });
    for partition in 0..own.identity().partitions {
        own.read(Topic::Journal, partition, 1, limit, &mut records).unwrap();
    }
    for record in records {
        let mut value = record.value.to_vec();
        if record.record_type != RecordType::Unknown && value.len() > 10 {
            let id = u32::from_be_bytes(value[1..5].try_into().unwrap()) + FOREIGN;
            value[1..5].copy_from_slice(&id.to_be_bytes());
        }
        let new = NewRecord {
            topic: Topic::Journal,
            partition: partition_of(&record.key, log.identity().partitions),
            key: record.key.as_ref().into(),
            record_type: record.record_type,
            timestamp_us: record.timestamp_us,
            traceparent: None,
            value,
        };
        log.append(vec![new]).await.unwrap();
    }

    let codec = Arc::new(Codec::new(SlowRegistry { failures_left: AtomicI64::new(15) }).unwrap());
    let ports = ports_with(&log, &views, Arc::clone(&codec));
    let projector = start(&ports, &small_config());
    tokio::time::sleep(Duration::from_millis(30)).await;
    caught_up(&ports, &projector).await;
    projector.stop().unwrap();

    // Folded by somebody who could fetch everything from the start.
    let at_hand = Codec::new(SlowRegistry { failures_left: AtomicI64::new(0) }).unwrap();
    assert_refolded_with(&at_hand, &log, &views).await;
}
