//! The codec and its registry: when it asks, and what it makes of the answers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use hindcast_schemas::{Codec, CodecError, DecodeError, LocalRegistry, Registry, RegistryError, Subject};

use crate::samples::{Case, Content, newest};

/// Ids of its own from 1000 on, schemas that others registered, and failures on demand.
#[derive(Default)]
pub(crate) struct FakeRegistry {
    schemas: Mutex<HashMap<u32, Arc<str>>>,
    failing: Mutex<Option<RegistryError>>,
    asked: AtomicUsize,
}

impl FakeRegistry {
    /// Gives a schema an id, as another process would.
    pub(crate) fn give(&self, id: u32, json: &str) {
        self.schemas.lock().unwrap().insert(id, json.into());
    }

    fn fail(&self, with: Option<RegistryError>) {
        *self.failing.lock().unwrap() = with;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn answer(&self) -> Result<(), RegistryError> {
        self.failing.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Registry for FakeRegistry {
    fn id_of(&self, _subject: &str, json: &str) -> Result<u32, RegistryError> {
        self.answer()?;
        let mut schemas = self.schemas.lock().unwrap();
        let given = schemas.iter().find(|(_, schema)| &***schema == json).map(|(id, _)| *id);
        Ok(given.unwrap_or_else(|| {
            let id = 1000 + u32::try_from(schemas.len()).unwrap();
            schemas.insert(id, json.into());
            id
        }))
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answer()?;
        Ok(self.schemas.lock().unwrap().get(&id).cloned())
    }
}

fn down() -> Option<RegistryError> {
    Some(RegistryError { retryable: true, detail: "connection refused".to_owned() })
}

/// A record as another build wrote it, whose registry gave other ids.
fn foreign(id: u32) -> (Vec<u8>, Content<'static>) {
    let content = newest(Subject::TradeClosed, Case::Full);
    let mut record = content.encode(&Codec::new(LocalRegistry).unwrap()).unwrap();
    record[1..5].copy_from_slice(&id.to_be_bytes());
    (record, content)
}

fn trade_json() -> &'static str {
    hindcast_schemas::known::current(Subject::TradeClosed).unwrap().json
}

#[test]
fn its_own_ids_are_never_asked_for() {
    let registry = Arc::new(FakeRegistry::default());
    let codec = Codec::new(Arc::clone(&registry)).unwrap();
    registry.fail(down());
    for subject in Subject::ALL {
        let content = newest(subject, Case::Full);
        let record = content.encode(&codec).unwrap();
        assert_eq!(Content::decode(&codec, subject, &record), Ok(content));
    }
    assert_eq!(registry.asked(), 0);
    let ids: Vec<_> = codec.written().map(|written| written.id()).collect();
    assert_eq!(ids, [1000, 1001, 1002, 1003]);
}

#[test]
fn other_ids_are_asked_for_once() {
    let registry = Arc::new(FakeRegistry::default());
    let codec = Codec::new(Arc::clone(&registry)).unwrap();
    registry.give(7, trade_json());
    registry.give(3, trade_json());
    for _ in 0..3 {
        for id in [7, 3] {
            let (record, content) = foreign(id);
            assert_eq!(Content::decode(&codec, content.subject(), &record), Ok(content));
        }
    }
    assert_eq!(registry.asked(), 2);
}

#[test]
fn a_schema_that_cannot_be_fetched_is_no_bad_data() {
    let registry = Arc::new(FakeRegistry::default());
    let codec = Codec::new(Arc::clone(&registry)).unwrap();
    registry.give(7, trade_json());
    registry.fail(down());
    let (record, content) = foreign(7);
    let refused = codec.decode_event(&record).unwrap_err();
    assert_eq!(refused, DecodeError::SchemaUnavailable { id: 7, detail: "connection refused".to_owned() });
    assert!(refused.is_retryable());
    // Even where the registry itself sees no use in asking again: somebody may give it its rights back.
    registry.fail(Some(RegistryError { retryable: false, detail: "forbidden".to_owned() }));
    assert!(codec.decode_event(&record).unwrap_err().is_retryable());
    registry.fail(None);
    assert_eq!(Content::decode(&codec, content.subject(), &record), Ok(content));
}

#[test]
fn an_id_that_was_never_given_is_bad_data_but_not_remembered() {
    let registry = Arc::new(FakeRegistry::default());
    let codec = Codec::new(Arc::clone(&registry)).unwrap();
    let (record, content) = foreign(8);
    for asked in 1..=2 {
        let refused = codec.decode_event(&record).unwrap_err();
        assert!(!refused.is_retryable(), "{refused}");
        assert_eq!(registry.asked(), asked);
    }
    registry.give(8, trade_json());
    assert_eq!(Content::decode(&codec, content.subject(), &record), Ok(content));
}

#[test]
fn schemas_of_other_things_are_bad_data_and_remembered() {
    let registry = Arc::new(FakeRegistry::default());
    registry.give(20, r#"{"type": "record", "name": "Heartbeat", "fields": []}"#);
    registry.give(21, r#""string""#);
    registry.give(22, "{");
    registry
        .give(23, r#"{"type": "record", "name": "TradeClosed", "fields": [{"name": "own", "type": "TradeClosed"}]}"#);
    let codec = Codec::new(Arc::clone(&registry)).unwrap();
    for id in 20..=23 {
        let (record, _) = foreign(id);
        for _ in 0..2 {
            let refused = codec.decode_event(&record).unwrap_err();
            assert!(!refused.is_retryable() && refused.to_string().contains(&format!("schema {id} is")), "{refused}");
        }
    }
    assert_eq!(registry.asked(), 4);
}

#[test]
fn events_and_decisions_are_not_mistaken_for_each_other() {
    let codec = Codec::new(LocalRegistry).unwrap();
    let event = newest(Subject::SignalReceived, Case::Full).encode(&codec).unwrap();
    let decision = newest(Subject::DecisionMade, Case::Full).encode(&codec).unwrap();
    assert!(!codec.decode_event(&decision).unwrap_err().is_retryable());
    assert!(!codec.decode_decision(&event).unwrap_err().is_retryable());
}

#[test]
fn without_ids_there_is_no_codec() {
    let registry = FakeRegistry::default();
    registry.fail(down());
    match Codec::new(registry) {
        Err(CodecError::Registry { subject: Subject::SignalReceived, version: 2, source }) => {
            assert!(source.retryable);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_id_for_two_subjects_is_refused() {
    struct Same;
    impl Registry for Same {
        fn id_of(&self, _: &str, _: &str) -> Result<u32, RegistryError> {
            Ok(5)
        }
        fn schema_of(&self, _: u32) -> Result<Option<Arc<str>>, RegistryError> {
            Ok(None)
        }
    }
    let refused = Codec::new(Same).unwrap_err();
    assert_eq!(refused, CodecError::SharedId { id: 5, first: Subject::SignalReceived, second: Subject::TradeClosed });
}

#[test]
fn many_threads_may_meet_a_new_id_at_once() {
    let registry = Arc::new(FakeRegistry::default());
    let codec = Codec::new(Arc::clone(&registry)).unwrap();
    for id in 100..150 {
        registry.give(id, trade_json());
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for id in 100..150 {
                    let (record, content) = foreign(id);
                    assert_eq!(Content::decode(&codec, content.subject(), &record), Ok(content));
                }
            });
        }
    });
    let asked = registry.asked();
    let (record, _) = foreign(149);
    codec.decode_event(&record).unwrap();
    assert!((50..=200).contains(&asked), "{asked}");
    assert_eq!(registry.asked(), asked);
}
