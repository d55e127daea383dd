//! Control over a log in memory: racing authors, stale changes, first starts, logs that can't be read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test that can't go on fails

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hindcast_control::{Change, ChangeError, Control, ControlConfig, Entity, Requested, UsedSchema, bootstrap};
use hindcast_domain::{TimestampUs, UserId};
use hindcast_journal::{
    Appending, Log, LogError, LogIdentity, NewRecord, ReadLimit, Record, RecordType, Topic, memory::MemoryLog,
};
use tokio::sync::watch;

const NOW: TimestampUs = TimestampUs(1_700_000_000_000_000);

fn schemas() -> Vec<UsedSchema> {
    let schema = |id: u32, subject: &str, schema: &str| UsedSchema {
        id,
        subject: subject.to_owned(),
        version: 1,
        schema: schema.to_owned(),
    };
    vec![schema(1, "hindcast.A", r#"{"type": "record", "name": "A"}"#), schema(2, "hindcast.B", r#""string""#)]
}

fn follow(log: &MemoryLog) -> Arc<Control> {
    Control::follow(Arc::new(log.clone()), ControlConfig::default()).unwrap()
}

fn created(id: &str, digest: u8) -> Change {
    Change::ApiKeyCreated {
        id: id.to_owned(),
        user_id: UserId::new("trader-1").unwrap(),
        scopes: vec!["trade".to_owned()],
        sha256: format!("{digest:02x}").repeat(32),
        expires_at: None,
        requests_per_minute: None,
    }
}

fn requested(change: Change, based_on: Option<u64>) -> Requested {
    Requested { change, based_on, by: "admin-key".to_owned(), why: "test".to_owned(), at: NOW }
}

#[tokio::test]
async fn keys_are_created_and_revoked_within_moments_everywhere() {
    let log = MemoryLog::new(2);
    let (here, elsewhere) = (follow(&log), follow(&log));
    assert!(here.has_no_keys());
    let created_at = here.change(requested(created("k1", 7), None)).await.unwrap();
    assert!(elsewhere.reached(created_at, Duration::from_secs(1)).await);
    for control in [&here, &elsewhere] {
        let key = control.key_by_sha256(&[7; 32]).unwrap();
        assert_eq!((&*key.id, key.revoked_at), ("k1", None));
        assert_eq!(control.key_by_id("k1"), Some(key));
    }
    let revoked = Change::ApiKeyRevoked { id: "k1".to_owned() };
    let revoked_at = elsewhere.change(requested(revoked, Some(created_at))).await.unwrap();
    assert!(here.reached(revoked_at, Duration::from_secs(1)).await);
    assert_eq!(here.key_by_sha256(&[7; 32]).unwrap().revoked_at, Some(NOW));
    assert_eq!(here.key_by_id("k1").unwrap().revoked_at, Some(NOW));
    assert_eq!(here.settings().offset, Some(revoked_at));
}

#[tokio::test]
async fn of_two_racing_admins_one_wins_and_both_know() {
    let log = MemoryLog::new(1);
    let (one, other) = (follow(&log), follow(&log));
    bootstrap(&one, Vec::new(), NOW).await.unwrap();
    let entity = Entity("scoring".to_owned());
    for round in 0..20 {
        let based_on = one.last_change(&entity);
        assert!(other.reached(based_on.unwrap(), Duration::from_secs(1)).await);
        let activate = || Change::ScoringActivated { model: ("kernel".into(), 1), policy: ("threshold".into(), 1) };
        let (a, b) =
            tokio::join!(one.change(requested(activate(), based_on)), other.change(requested(activate(), based_on)));
        let (winner, loser) = if a.is_ok() { (a, b) } else { (b, a) };
        let won = winner.unwrap_or_else(|error| panic!("round {round}: nobody won: {error}"));
        assert!(matches!(loser, Err(ChangeError::Conflict(e)) if e == entity), "round {round}");
        for control in [&one, &other] {
            assert_eq!(control.last_change(&entity), Some(won), "round {round}");
        }
    }
}

#[tokio::test]
async fn changes_that_make_no_sense_are_refused() {
    let log = MemoryLog::new(1);
    let control = follow(&log);
    let first = control.change(requested(created("k1", 1), None)).await.unwrap();
    let revoke = |id: &str| Change::ApiKeyRevoked { id: id.to_owned() };
    for (change, based_on, part) in [
        (created("k1", 2), Some(first), "already"),
        (created("k2", 1), None, "already"),
        (revoke("k9"), None, "no such key"),
        (
            Change::ScoringActivated { model: ("none".to_owned(), 1), policy: ("none".to_owned(), 1) },
            None,
            "not published",
        ),
    ] {
        let error = control.change(requested(change, based_on)).await.unwrap_err();
        assert!(matches!(&error, ChangeError::Refused { .. }) && error.to_string().contains(part), "{error}");
    }
    // A refusal is no change: the entity can still be changed from what it was.
    let second = control.change(requested(created("k2", 2), None)).await.unwrap();
    control.change(requested(revoke("k1"), Some(first))).await.unwrap();
    assert!(matches!(control.change(requested(revoke("k2"), None)).await, Err(ChangeError::Conflict(_))));
    control.change(requested(revoke("k2"), Some(second))).await.unwrap();
    assert_eq!(control.keys().iter().map(|key| &*key.id).collect::<Vec<_>>(), ["k1", "k2"]);
}

#[tokio::test]
async fn a_first_start_publishes_and_a_second_one_finds_all_there() {
    let log = MemoryLog::new(1);
    let control = follow(&log);
    assert_eq!(bootstrap(&control, schemas(), NOW).await.unwrap(), 6);
    assert_eq!(bootstrap(&control, schemas(), NOW).await.unwrap(), 0);
    let settings = follow(&log).settings();
    let scoring = settings.scoring.as_ref().unwrap();
    assert_eq!(scoring.model_digest, scoring.published_model.digest());
    assert!(settings.generations.is_some());
    assert_eq!(settings.schemas[&2], ("hindcast.B".to_owned(), 1, r#""string""#.to_owned()));

    let mut used = schemas();
    used[0].schema = used[0].schema.replace(", ", ",\n    ");
    assert_eq!(bootstrap(&control, used.clone(), NOW).await.unwrap(), 0);
    used[0].schema = r#""int""#.to_owned();
    assert!(matches!(bootstrap(&control, used, NOW).await, Err(ChangeError::Refused { .. })));
}

#[tokio::test]
async fn several_first_starts_at_once_publish_everything_once() {
    let log = MemoryLog::new(1);
    let controls = [follow(&log), follow(&log), follow(&log)];
    let starts = futures_all(controls.iter().map(|control| bootstrap(control, schemas(), NOW))).await;
    let written: u32 = starts.into_iter().map(Result::unwrap).sum();
    assert_eq!(written, 6);
}

async fn futures_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn records_that_are_no_changes_have_no_effect() {
    let log = MemoryLog::new(1);
    let control = follow(&log);
    let good = serde_json::json!({
        "based_on": null, "at": 1, "by": "x", "change": {"kind": "api_key_revoked", "id": "k1"}
    });
    for (key, value) in [
        ("api-key/k1", "not JSON".to_owned()),
        ("api-key/k1", good.to_string().replace("api_key_revoked", "invented_later")),
        ("another-key", good.to_string()),
    ] {
        let record = NewRecord {
            topic: Topic::Control,
            partition: 0,
            key: key.as_bytes().into(),
            record_type: RecordType::Setting,
            timestamp_us: 0,
            traceparent: None,
            value: value.into_bytes(),
        };
        let offset = log.append(vec![record]).await.unwrap()[0].offset;
        assert!(control.reached(offset, Duration::from_secs(1)).await);
        assert_eq!(control.settings().offset, Some(offset));
        assert_eq!(control.last_change(&Entity("api-key/k1".to_owned())), None);
    }
    control.change(requested(created("k1", 1), None)).await.unwrap();
}

/// A log whose reading can be broken.
struct Breakable {
    inner: MemoryLog,
    broken: AtomicBool,
}

impl Log for Breakable {
    fn identity(&self) -> &LogIdentity {
        self.inner.identity()
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn append(&self, records: Vec<NewRecord>) -> Appending {
        self.inner.append(records)
    }

    fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(LogError::not_stored("unplugged"));
        }
        self.inner.read(topic, partition, from_offset, limit, into)
    }

    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64> {
        self.inner.durable_end(topic, partition)
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }
}

#[tokio::test]
async fn a_log_that_can_not_be_read_makes_control_stale_until_it_can() {
    let log = Arc::new(Breakable { inner: MemoryLog::new(1), broken: AtomicBool::new(true) });
    let config = ControlConfig { stale_after_ms: 1_200, change_timeout_ms: 100 };
    assert!(Control::follow(log.clone(), config.clone()).is_err());
    log.broken.store(false, Ordering::SeqCst);
    let control = Control::follow(log.clone(), config).unwrap();
    assert!(control.is_fresh());
    log.broken.store(true, Ordering::SeqCst);
    // Recorded, but nobody can say what came of it.
    let error = control.change(requested(created("k1", 1), None)).await.unwrap_err();
    assert!(matches!(error, ChangeError::NotReadBack(_)), "{error}");
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    assert!(!control.is_fresh());
    log.broken.store(false, Ordering::SeqCst);
    assert!(control.reached(1, Duration::from_secs(2)).await);
    assert!(control.is_fresh() && control.key_by_id("k1").is_some());
}

#[tokio::test]
async fn a_log_that_takes_nothing_says_so() {
    let log = MemoryLog::new(1);
    let control = follow(&log);
    log.set_down(Some("disk full"));
    assert!(matches!(
        control.change(requested(created("k1", 1), None)).await,
        Err(ChangeError::Log(error)) if error.retryable
    ));
}
