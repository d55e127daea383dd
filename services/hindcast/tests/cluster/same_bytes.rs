//! One recorded journal gives the same rows, byte for byte, on the embedded engine and on Kafka with a CQL store.

use std::{path::Path, time::Duration};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{
    Log, NewRecord, ReadLimit, RecordType, Topic,
    embedded::{EmbeddedLog, EmbeddedLogConfig},
    kafka::KafkaLog,
};
use hindcast_replay_tools::refold;
use hindcast_schemas::{Codec, LocalRegistry};
use hindcast_views::embedded::{EmbeddedViews, EmbeddedViewsConfig};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    support::{Http, Server, runtime},
    system::{Services, System},
};

const USERS: usize = 200;
/// Signals with their outcomes of each user.
const EXPERIENCES: usize = 60;
const PARTITIONS: u16 = 4;

/// The real signals and trades of a user: a piece of the recorded history, and some of it sent twice.
fn history(rows: &[Value], user: usize) -> Vec<Value> {
    let mut items = Vec::new();
    for number in 0..EXPERIENCES {
        let row = &rows[(user * 7 + number) % rows.len()];
        let side = row["signal"].clone();
        let (signal_id, trade_id) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let price = row["entry_price"].clone();
        items.push(json!({
            "type": "signal", "event_id": signal_id, "symbol": "ES", "side": side, "price": price, "rsi": row["rsi"],
            "atr": row["atr"], "volume_ratio": row["volume_ratio"],
        }));
        items.push(json!({
            "type": "trade", "event_id": trade_id, "signal_id": signal_id, "symbol": "ES", "side": side,
            "entry_price": price, "exit_price": price, "pnl": row["pnl"], "simulated": row["took_trade"] == false,
        }));
        if number % 5 == 0 {
            let twice = items[items.len() - 1 - number % 2].clone();
            items.push(twice);
        }
    }
    items
}

#[test]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
fn one_journal_gives_the_same_rows_on_both_engines() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/es_experiences.jsonl");
    assert!(path.exists(), "the real signals are absent: {} (see ../shared/data/README.md)", path.display());
    let text = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &[("HINDCAST_LOG__EMBEDDED__PARTITIONS", "4")]);
    let (runtime, http) = (runtime(), Http::new(&server.url));
    runtime.block_on(async {
        for user in 0..USERS {
            let key = http.trader(&format!("recorded-{user}")).await;
            for batch in history(&rows, user).chunks(500) {
                let answer = http.post("/v1/events", &key, &batch.to_vec().into()).await;
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                let results = answer.json()["results"].clone();
                assert!(results.as_array().unwrap().iter().all(|result| result["status"] == 201), "{results}");
            }
        }
        http.caught_up().await;
    });
    server.stop();
    let embedded = EmbeddedLogConfig { partitions: PARTITIONS, ..EmbeddedLogConfig::default() };
    let embedded = EmbeddedLog::open(&data.join("journal"), &embedded).unwrap();
    let embedded_views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();

    // Started once, so that topics and schemas are there; projected only after all of it is recorded.
    let mut system = System::new(Services::shared());
    system.start("admin");
    let (log, codec, _) = system.open(&runtime);
    let records = copy(&embedded, &log, &codec, &runtime);
    for name in ["projector-1", "projector-2"] {
        system.start(name);
    }
    runtime.block_on(system.http("admin").caught_up());
    system.stop_all();

    let (log, codec, cql_views) = system.open(&runtime);
    let local = Codec::new(LocalRegistry).unwrap();
    let expected = refold(&embedded, &local, &GenerationSet::default()).unwrap();
    assert!(expected.rows.len() >= 2 * USERS, "{} rows", expected.rows.len());
    for (what, comparison) in [
        ("embedded", runtime.block_on(expected.compare(&embedded_views)).unwrap()),
        ("CQL", runtime.block_on(expected.compare(&cql_views)).unwrap()),
    ] {
        assert!(comparison.is_same(), "{what}: {:?}", comparison.differences);
        assert_eq!(comparison.same as usize, expected.rows.len(), "{what}");
    }
    let again = refold(&*log, &codec, &GenerationSet::default()).unwrap();
    assert_eq!(again.rows, expected.rows, "folded from Kafka");
    println!("{records} records, {} rows the same on both engines", expected.rows.len());
}

/// Copies the journal as it is, but for the ids of schemas, which are another registry's.
fn copy(from: &EmbeddedLog, to: &KafkaLog, codec: &Codec, runtime: &tokio::runtime::Runtime) -> usize {
    let local = Codec::new(LocalRegistry).unwrap();
    let id_of = |old: u32| {
        let known = local.written().find(|schema| schema.id() == old).unwrap();
        codec.written().find(|schema| schema.subject() == known.subject()).unwrap().id()
    };
    let mut copied = 0;
    for partition in 0..PARTITIONS {
        let end = *from.durable_end(Topic::Journal, partition).borrow();
        let mut next = 1;
        while next < end {
            let mut records = Vec::new();
            let limit = ReadLimit { records: 1_000, bytes: 8 << 20 };
            next = from.read(Topic::Journal, partition, next, limit, &mut records).unwrap();
            let expected: Vec<_> = records.iter().map(|record| record.position).collect();
            let records = records.into_iter().map(|record| {
                assert_ne!(record.record_type, RecordType::Genesis);
                let mut value = record.value.to_vec();
                let id = id_of(u32::from_be_bytes(value[1..5].try_into().unwrap()));
                value[1..5].copy_from_slice(&id.to_be_bytes());
                NewRecord {
                    topic: Topic::Journal,
                    partition,
                    key: record.key.as_ref().into(),
                    record_type: record.record_type,
                    timestamp_us: record.timestamp_us,
                    traceparent: record.traceparent.clone(),
                    value,
                }
            });
            let positions = runtime.block_on(async {
                tokio::time::timeout(Duration::from_secs(60), to.append(records.collect())).await.unwrap().unwrap()
            });
            assert_eq!(positions, expected, "the copy has the same positions");
            copied += positions.len();
        }
    }
    copied
}
