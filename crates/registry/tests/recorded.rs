//! What control makes of a registry's answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::sync::{Arc, Mutex};

use hindcast_control::{Control, ControlConfig, UsedSchema, bootstrap};
use hindcast_domain::TimestampUs;
use hindcast_journal::memory::MemoryLog;
use hindcast_registry::Recorded;
use hindcast_schemas::{Registry, RegistryError};

const NOW: TimestampUs = TimestampUs(1_700_000_000_000_000);

/// Gives ids from 1 on; `None` when it is down.
#[derive(Default)]
struct Fake(Mutex<Option<Vec<(String, String)>>>);

impl Fake {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(Vec::new()))))
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Vec<(String, String)>) -> T) -> Result<T, RegistryError> {
        let down = || RegistryError { retryable: true, detail: "down".into() };
        self.0.lock().unwrap().as_mut().map(ask).ok_or_else(down)
    }
}

impl Registry for Fake {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        let entry = (subject.to_owned(), schema_json.to_owned());
        self.ask(|given| {
            let index = given.iter().position(|other| *other == entry).unwrap_or_else(|| {
                given.push(entry);
                given.len() - 1
            });
            u32::try_from(index + 1).unwrap()
        })
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        self.ask(|given| given.get(id as usize - 1).map(|(_, schema)| schema.as_str().into()))
    }
}

fn control() -> Arc<Control> {
    Control::follow(Arc::new(MemoryLog::new(1)), ControlConfig::default()).unwrap()
}

async fn record(control: &Control, id: u32, subject: &str, schema: &str) {
    let used = UsedSchema { id, subject: subject.into(), version: 1, schema: schema.into() };
    bootstrap(control, vec![used], TimestampUs(NOW.0)).await.unwrap();
}

#[tokio::test]
async fn control_is_asked_first() {
    let (control, fake) = (control(), Fake::new());
    let recorded = Recorded::new(Arc::clone(&control), Arc::clone(&fake));
    assert_eq!(recorded.id_of("s", "{\"type\": \"long\"}"), Ok(1));
    record(&control, 1, "s", "{\"type\": \"long\"}").await;
    *fake.0.lock().unwrap() = None;
    // The same schema with other white space.
    assert_eq!(recorded.id_of("s", "{\"type\":\"long\"}"), Ok(1));
    assert_eq!(recorded.schema_of(1).unwrap().as_deref(), Some("{\"type\": \"long\"}"));
    assert!(recorded.id_of("s", "\"string\"").unwrap_err().retryable);
    assert!(recorded.schema_of(2).unwrap_err().retryable);
}

#[tokio::test]
async fn a_registry_that_was_begun_anew_is_found_out() {
    let (control, fake) = (control(), Fake::new());
    let recorded = Recorded::new(Arc::clone(&control), Arc::clone(&fake));
    assert_eq!(recorded.id_of("s", "\"long\""), Ok(1));
    record(&control, 1, "s", "\"long\"").await;
    *fake.0.lock().unwrap() = Some(Vec::new());
    let refused = recorded.id_of("t", "\"string\"").unwrap_err();
    assert!(!refused.retryable && refused.detail.contains("its database was lost"), "{refused}");
    assert_eq!(recorded.schema_of(1).unwrap().as_deref(), Some("\"long\""), "not what the registry says now");
}

#[tokio::test]
async fn what_others_registered_is_read_too() {
    let (control, fake) = (control(), Fake::new());
    fake.id_of("s", "\"long\"").unwrap();
    let recorded = Recorded::new(control, fake);
    assert_eq!(recorded.schema_of(1).unwrap().as_deref(), Some("\"long\""));
    assert_eq!(recorded.schema_of(2), Ok(None));
}

/// Whoever gave an id recorded it in control, perhaps a moment ago: while control can't be read, nothing is known not to be.
#[tokio::test]
async fn an_id_is_unknown_only_while_control_is_current() {
    let config = ControlConfig { stale_after_ms: 0, ..ControlConfig::default() };
    let control = Control::follow(Arc::new(MemoryLog::new(1)), config).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let recorded = Recorded::new(control, Fake::new());
    let error = recorded.schema_of(5).unwrap_err();
    assert!(error.retryable && error.detail.contains("not read to its end"), "{error}");
}
