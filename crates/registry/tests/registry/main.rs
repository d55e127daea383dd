//! The client on a real registry, alone and with control.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::sync::Arc;

use apache_avro::{reader::datum::GenericDatumReader, types::Value};
use hindcast_control::{Control, ControlConfig, UsedSchema, bootstrap};
use hindcast_domain::{MoneyE9, Position, TimestampUs};
use hindcast_journal::memory::MemoryLog;
use hindcast_registry::{ConfluentRegistry, Recorded, RegistryConfig, register_known, used_schemas};
use hindcast_schemas::{Codec, Event, Registry, Subject, TradeVoided, known::KNOWN_SCHEMAS};
use serde_json::{Value as Json, json};

const NOW: TimestampUs = TimestampUs(1_700_000_000_000_000);

fn config() -> RegistryConfig {
    let url = std::env::var("HINDCAST_TEST_REGISTRY").expect(
        "HINDCAST_TEST_REGISTRY is the URL of a schema registry with Confluent's API; start one with `cargo xtask services up`",
    );
    RegistryConfig { url, ..RegistryConfig::default() }
}

fn open() -> ConfluentRegistry {
    ConfluentRegistry::new(&config()).unwrap()
}

/// A schema that no other test has, with some fields.
struct Unique {
    subject: String,
    name: String,
}

impl Unique {
    fn new() -> Self {
        let name = format!("T{}", uuid::Uuid::now_v7().simple());
        Self { subject: format!("hindcast.test.{name}"), name }
    }

    fn schema(&self, fields: &Json) -> String {
        json!({ "type": "record", "namespace": "hindcast.test", "name": self.name, "fields": fields }).to_string()
    }
}

/// What a consumer does that knows nothing of us.
fn get(path: &str) -> (u16, Json) {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("{}{path}", config().url)).call().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Json::Null))
}

/// Takes a subject out of the registry's database, with all ids that only it had.
fn lose(subject: &str) {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    for query in ["", "?permanent=true"] {
        agent.delete(format!("{}/subjects/{subject}{query}", config().url)).call().unwrap();
    }
}

fn control() -> Arc<Control> {
    Control::follow(Arc::new(MemoryLog::new(1)), ControlConfig::default()).unwrap()
}

#[test]
fn an_id_is_given_once_and_every_version_is_compatible_with_all_others() {
    let unique = Unique::new();
    let first = unique.schema(&json!([{ "name": "a", "type": "long" }]));
    let registry = open();
    let id = registry.id_of(&unique.subject, &first).unwrap();
    assert_eq!(get(&format!("/config/{}", unique.subject)).1["compatibilityLevel"], "FULL_TRANSITIVE");
    for registry in [registry, open()] {
        assert_eq!(registry.id_of(&unique.subject, &first), Ok(id));
        let found = registry.schema_of(id).unwrap().unwrap();
        assert_eq!(serde_json::from_str::<Json>(&found).unwrap(), serde_json::from_str::<Json>(&first).unwrap());
    }
    let second =
        unique.schema(&json!([{ "name": "a", "type": "long" }, { "name": "b", "type": "long", "default": 0 }]));
    assert_eq!(open().is_compatible(&unique.subject, &second), Ok(true));
    let other = open().id_of(&unique.subject, &second).unwrap();
    assert_ne!(other, id);
    assert_eq!(open().id_of(&unique.subject, &first), Ok(id));
}

/// Several processes start at once after an update.
#[test]
fn registering_the_same_at_once_gives_one_id() {
    for _ in 0..5 {
        let unique = Unique::new();
        let schema = unique.schema(&json!([{ "name": "a", "type": "long" }]));
        let ids: Vec<_> = std::thread::scope(|scope| {
            let registering: Vec<_> = (0..8).map(|_| scope.spawn(|| open().id_of(&unique.subject, &schema))).collect();
            registering.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids[0].is_ok() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

#[test]
fn an_incompatible_schema_is_refused_for_good_and_changes_nothing() {
    let unique = Unique::new();
    let registry = open();
    registry.id_of(&unique.subject, &unique.schema(&json!([{ "name": "a", "type": "long" }]))).unwrap();
    let bad = unique.schema(&json!([{ "name": "a", "type": "string" }]));
    assert_eq!(registry.is_compatible(&unique.subject, &bad), Ok(false));
    let refused = registry.id_of(&unique.subject, &bad).unwrap_err();
    assert!(!refused.retryable, "{refused}");
    assert!(refused.detail.contains(&format!("schema of {} is not compatible", unique.subject)), "{refused}");
    assert!(refused.detail.len() > unique.subject.len() + 60, "it says why: {refused}");
    assert_eq!(get(&format!("/subjects/{}/versions", unique.subject)).1, json!([1]));
}

#[test]
fn what_is_no_schema_is_refused_for_good() {
    let refused = open().id_of(&Unique::new().subject, "nonsense").unwrap_err();
    assert!(!refused.retryable, "{refused}");
}

#[test]
fn registering_may_be_forbidden() {
    let unique = Unique::new();
    let schema = unique.schema(&json!([]));
    let reader = ConfluentRegistry::new(&RegistryConfig { register: false, ..config() }).unwrap();
    let refused = reader.id_of(&unique.subject, &schema).unwrap_err();
    assert!(!refused.retryable && refused.detail.contains("hindcast schema register"), "{refused}");
    assert_eq!(get(&format!("/subjects/{}/versions", unique.subject)).0, 404);
    let id = open().id_of(&unique.subject, &schema).unwrap();
    assert_eq!(reader.id_of(&unique.subject, &schema), Ok(id));
}

#[test]
fn an_id_that_was_never_given_is_known_not_to_be() {
    assert_eq!(open().schema_of(u32::try_from(i32::MAX).unwrap()), Ok(None));
}

/// A wrong path is no reason to take records for bad.
#[test]
fn a_wrong_url_is_no_answer() {
    let url = format!("{}/not/here", config().url);
    let registry = ConfluentRegistry::new(&RegistryConfig { url, ..config() }).unwrap();
    let error = registry.schema_of(1).unwrap_err();
    assert!(error.retryable && error.detail.contains("registry.url"), "{error}");
}

#[test]
fn all_schemas_of_this_build_are_registered_and_registered_again() {
    let first = register_known(&open()).unwrap();
    assert_eq!(first.len(), KNOWN_SCHEMAS.len());
    assert_eq!(register_known(&open()).unwrap(), first);
}

fn void() -> TradeVoided<'static> {
    TradeVoided {
        event_id: uuid::Uuid::from_u128(1),
        user_id: "trader-1".into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: NOW,
        received_at: NOW,
        trade_event_id: uuid::Uuid::from_u128(2),
        trade_position: Position { epoch: 0, partition: 3, offset: 17 },
        trade_occurred_at: NOW,
        trade_pnl_e9: MoneyE9(-12_500_000_000),
        trade_simulated: false,
        reason: Some("busted".into()),
    }
}

/// With the registry's URL and any Avro library.
#[test]
fn a_consumer_that_knows_nothing_of_us_reads_records() {
    let codec = Codec::new(open()).unwrap();
    let mut record = Vec::new();
    codec.encode_event(&Event::Void(void()), &mut record).unwrap();

    let (magic, rest) = record.split_first().unwrap();
    let (id, mut body) = rest.split_first_chunk::<4>().unwrap();
    let (status, answer) = get(&format!("/schemas/ids/{}", u32::from_be_bytes(*id)));
    assert_eq!((*magic, status), (0, 200));
    let schema = apache_avro::Schema::parse_str(answer["schema"].as_str().unwrap()).unwrap();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut body).unwrap();
    assert!(body.is_empty());
    let Value::Record(fields) = value else { panic!("no record: {value:?}") };
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    assert_eq!(field("user_id"), Some(Value::String("trader-1".into())));
    assert_eq!(field("symbol"), Some(Value::String("ES".into())));
    // The subject is the record's name, as in Confluent's RecordNameStrategy.
    assert_eq!(get(&format!("/subjects/{}/versions", Subject::TradeVoided.name())).0, 200);
}

/// Ids recorded in control outlive the registry's database.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_stays_readable_when_the_registry_loses_its_database() {
    let (unique, control) = (Unique::new(), control());
    let schema = unique.schema(&json!([{ "name": "a", "type": "long" }]));
    let before = Recorded::new(Arc::clone(&control), open());
    let id = before.id_of(&unique.subject, &schema).unwrap();
    let used = UsedSchema { id, subject: unique.subject.clone(), version: 1, schema: schema.clone() };
    bootstrap(&control, vec![used], NOW).await.unwrap();

    lose(&unique.subject);
    assert_eq!(open().schema_of(id), Ok(None), "the registry knows it no more");
    let after = Recorded::new(Arc::clone(&control), open());
    assert_eq!(after.schema_of(id).unwrap().as_deref(), Some(schema.as_str()));
    assert_eq!(after.id_of(&unique.subject, &schema), Ok(id), "and it is written on under the same id");
    assert_eq!(after.schema_of(u32::try_from(i32::MAX).unwrap()), Ok(None));
}

/// All that a codec writes with is recorded, and is enough to read without a registry.
#[tokio::test(flavor = "multi_thread")]
async fn with_control_no_registry_is_needed() {
    let control = control();
    let codec = Codec::new(Recorded::new(Arc::clone(&control), open())).unwrap();
    let recorded = bootstrap(&control, used_schemas(&codec), NOW).await.unwrap();
    assert!(usize::try_from(recorded).unwrap() >= Subject::ALL.len());
    let mut record = Vec::new();
    codec.encode_event(&Event::Void(void()), &mut record).unwrap();

    let nowhere = RegistryConfig { url: "http://127.0.0.1:1".into(), timeout_ms: 100, ..RegistryConfig::default() };
    let alone = Recorded::new(Arc::clone(&control), ConfluentRegistry::new(&nowhere).unwrap());
    let codec = Codec::new(alone).unwrap();
    assert_eq!(codec.decode_event(&record).unwrap(), Event::Void(void()));
    let mut again = Vec::new();
    codec.encode_event(&Event::Void(void()), &mut again).unwrap();
    assert_eq!(again, record);
}
