//! The schema registry is lost for good: logs explain themselves.

use std::time::Duration;

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, RecordType, Topic};
use hindcast_replay_tools::{refold, verify_decisions};
use hindcast_test_services::{Temporary, registry_url};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    support::{judge::read_all, runtime, signal, trade, with},
    system::{Services, System},
};

const ROLES: [&str; 4] = ["admin", "ingress-1", "projector-1", "confidence-1"];
const EVENTS: usize = 40;
/// A new key works everywhere after that.
const KEYS_ARE_KNOWN: Duration = Duration::from_secs(2);
/// Ten a second.
const PATIENCE_POLLS: usize = 300;

async fn write(system: &System, key: &str) {
    let (ingress, confidence) = (system.http("ingress-1"), system.http("confidence-1"));
    let items: Vec<_> = (0..EVENTS).map(|_| with(trade("ES", 1.0), json!({"type": "trade"}))).collect();
    let answer = ingress.post("/v1/events", key, &items.into()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = confidence.post("/v1/confidence", key, &signal("ES")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

fn restart(system: &mut System) {
    for role in ROLES {
        system.stop(role);
        system.start(role);
    }
}

#[test]
fn logs_are_read_and_written_on_after_the_registrys_database_is_lost() {
    let mut registry = Temporary::registry().unwrap();
    let name = registry.nodes()[0].name().to_owned();
    let url = registry_url(&registry.nodes()[0]);
    let mut system = System::new(Services { registry: url, ..Services::shared() });
    ROLES.into_iter().for_each(|role| system.start(role));
    let runtime = runtime();
    let key = runtime.block_on(system.http("admin").trader("archivist"));
    std::thread::sleep(KEYS_ARE_KNOWN);
    runtime.block_on(write(&system, &key));

    // With no registry at all, and then with one that knows nothing.
    registry.node(&name).unwrap().lose_data().unwrap();
    restart(&mut system);
    runtime.block_on(write(&system, &key));
    registry.node(&name).unwrap().start().unwrap();
    restart(&mut system);
    runtime.block_on(async {
        write(&system, &key).await;
        let mut view = Value::Null;
        for _ in 0..PATIENCE_POLLS {
            view = system.http("confidence-1").get("/v1/views/ES", &key).await.json();
            if view["signals"] == 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!((&view["trades"], &view["signals"]), (&json!(3 * EVENTS), &json!(3)), "{view}");
    });
    system.stop_all();

    let (log, codec, views) = system.open(&runtime);
    let mut events = 0;
    for partition in 0..log.identity().partitions {
        let records = read_all(&*log, Topic::Journal, partition);
        for record in records.iter().filter(|record| record.record_type != RecordType::Genesis) {
            codec.decode_event(&record.value).unwrap();
            events += 1;
        }
    }
    assert_eq!(events, 3 * (EVENTS + 1));
    let comparison =
        runtime.block_on(refold(&*log, &codec, &GenerationSet::default()).unwrap().compare(&views)).unwrap();
    assert!(comparison.is_same(), "{:?}", comparison.differences);
    let verified = verify_decisions(&*log, &codec).unwrap();
    assert!(verified.is_same() && verified.decisions() == 3, "{:?}", verified.findings);
    registry.stop().unwrap();
}
