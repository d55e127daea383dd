//! Tests of the embedded log; those of its parts are with the parts.

mod failures;
mod folder;
mod groups;
mod kill;
mod power;
mod small_disk;

use super::{simulated_disk::SimulatedDisk, *};
use crate::{
    contract::Subject,
    faults::{Faults, FaultyLog},
};

const ALL: ReadLimit = ReadLimit { records: usize::MAX, bytes: usize::MAX };

fn config() -> EmbeddedLogConfig {
    EmbeddedLogConfig { partitions: 3, ..EmbeddedLogConfig::default() }
}

fn on_disk(dir: &Path) -> EmbeddedLog {
    EmbeddedLog::open(dir, &config()).unwrap()
}

fn simulated(disk: &SimulatedDisk) -> EmbeddedLog {
    EmbeddedLog::start(Path::new("simulated"), &config(), Arc::new(disk.clone()), None).unwrap()
}

fn record(topic: Topic, partition: u16, body: &str) -> NewRecord {
    NewRecord {
        topic,
        partition,
        key: b"user".as_slice().into(),
        record_type: RecordType::Trade,
        timestamp_us: 5,
        traceparent: None,
        value: body.as_bytes().to_vec(),
    }
}

fn bodies(log: &dyn Log, topic: Topic, partition: u16) -> Vec<String> {
    let mut records = Vec::new();
    let end = log.read(topic, partition, 0, ALL, &mut records).unwrap();
    assert_eq!(end, *log.durable_end(topic, partition).borrow());
    records.iter().skip(1).map(|record| String::from_utf8(record.value.to_vec()).unwrap()).collect()
}

/// Waits for what must come true soon.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if condition() {
            return;
        }
        thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("did not happen: {what}");
}

mod contract_on_disk {
    use super::*;
    crate::log_contract!(|_| {
        let dir = tempfile::tempdir().unwrap();
        Subject::exact(on_disk(dir.path())).keeping(dir)
    });
}

mod contract_on_disk_with_faults {
    use super::*;
    crate::log_contract!(|seed| {
        let dir = tempfile::tempdir().unwrap();
        let log = FaultyLog::new(Arc::new(on_disk(dir.path())), seed, Faults::FREQUENT);
        Subject::faulty(log).keeping(dir)
    });
}

mod contract_on_a_failing_disk {
    use super::*;
    crate::log_contract!(|seed| {
        let disk = SimulatedDisk::new(seed);
        let log = simulated(&disk);
        disk.fail_at_times(0.05);
        disk.sync_slowly(200);
        Subject::faulty(log)
    });
}
