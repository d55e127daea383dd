//! Writes that fail: what is known of their outcome, and what becomes of those who wait for them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hindcast_ingress::IngressConfig;
use hindcast_journal::{
    Appending, Log, LogError, LogIdentity, NewRecord, ReadLimit, Record, Topic,
    faults::{Faults, FaultyLog},
    memory::MemoryLog,
};
use serde_json::json;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::app::{App, PARTITIONS, Setup, USER, trade, with};

#[tokio::test]
async fn what_is_known_of_the_outcome_is_told() {
    let log = Arc::new(FaultyLog::new(Arc::new(MemoryLog::new(PARTITIONS)), 1, Faults::NONE));
    let setup = Setup { log: Arc::clone(&log) as Arc<dyn Log>, projected: false, ..Setup::default() };
    let app = App::start_with(setup).await;
    let key = app.key(USER).await;
    let body = with(trade(), json!({"event_id": Uuid::now_v7()})).to_string();
    let batch = json!([with(trade(), json!({"type": "trade"}))]).to_string();

    log.set_faults(Faults { not_stored: 1.0, ..Faults::NONE });
    for (path, body) in [("/v1/trades", &body), ("/v1/events", &batch)] {
        let answer = app.post(path, &key, body.clone()).await;
        assert_eq!((answer.refused(503), &answer.body["outcome"]), ("unavailable", &json!("none")));
    }
    log.set_faults(Faults { unknown: 1.0, ..Faults::NONE });
    let answer = app.post("/v1/trades", &key, body.clone()).await;
    assert_eq!((answer.refused(503), &answer.body["outcome"]), ("unavailable", &json!("unknown")));
    assert_eq!(app.count("hindcast_append_failures_total{outcome=\"none\"}"), 2);
    assert_eq!(app.count("hindcast_append_failures_total{outcome=\"unknown\"}"), 1);

    // Sent again it may be stored again: the fold counts it once.
    log.set_faults(Faults::NONE);
    assert!(!app.post("/v1/trades", &key, body.clone()).await.recorded().1);
    assert!(app.post("/v1/trades", &key, body).await.recorded().1);
}

/// A log whose appends land when they are let go.
struct SlowLog {
    inner: MemoryLog,
    let_go: Arc<Notify>,
    /// What the next append that is let go fails with.
    failure: Arc<Mutex<Option<LogError>>>,
    appends: AtomicUsize,
}

impl Log for SlowLog {
    fn identity(&self) -> &LogIdentity {
        self.inner.identity()
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn append(&self, records: Vec<NewRecord>) -> Appending {
        self.appends.fetch_add(1, Ordering::SeqCst);
        let (inner, let_go, failure) = (self.inner.clone(), Arc::clone(&self.let_go), Arc::clone(&self.failure));
        Box::pin(async move {
            let_go.notified().await;
            let failure = failure.lock().unwrap().take();
            match failure {
                Some(failure) => Err(failure),
                None => inner.append(records).await,
            }
        })
    }

    fn read(
        &self,
        topic: Topic,
        partition: u16,
        from_offset: u64,
        limit: ReadLimit,
        into: &mut Vec<Record>,
    ) -> Result<u64, LogError> {
        self.inner.read(topic, partition, from_offset, limit, into)
    }

    fn durable_end(&self, topic: Topic, partition: u16) -> watch::Receiver<u64> {
        self.inner.durable_end(topic, partition)
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }
}

async fn slow_app(append_timeout_ms: u64) -> (Arc<App>, Arc<SlowLog>) {
    let log = Arc::new(SlowLog {
        inner: MemoryLog::new(PARTITIONS),
        let_go: Arc::default(),
        failure: Arc::default(),
        appends: AtomicUsize::new(0),
    });
    let config = IngressConfig { append_timeout_ms, ..IngressConfig::default() };
    let setup = Setup { log: Arc::clone(&log) as Arc<dyn Log>, config, projected: false, ..Setup::default() };
    (Arc::new(App::start_with(setup).await), log)
}

#[tokio::test]
async fn an_answer_does_not_wait_for_ever() {
    let (app, log) = slow_app(50).await;
    let key = app.key(USER).await;
    let identified = with(trade(), json!({"event_id": Uuid::now_v7()})).to_string();
    for body in [trade().to_string(), identified.clone()] {
        let answer = app.post("/v1/trades", &key, body).await;
        assert_eq!((answer.refused(503), &answer.body["outcome"]), ("unavailable", &json!("unknown")));
    }
    // While it is under way, sending it again waits for it; once it has landed, that is known.
    let answer = app.post("/v1/trades", &key, identified.clone()).await;
    assert_eq!(answer.refused(503), "unavailable");
    assert_eq!(log.appends.load(Ordering::SeqCst), 2);
    log.let_go.notify_waiters();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(app.post("/v1/trades", &key, identified).await.recorded().1);
    assert_eq!(log.appends.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn those_who_wait_for_another_request_share_its_fate() {
    let (app, log) = slow_app(5_000).await;
    let key = app.key(USER).await;
    for failure in [None, Some(LogError::not_stored("full")), Some(LogError::unknown("lost"))] {
        let body = with(trade(), json!({"event_id": Uuid::now_v7()})).to_string();
        let outcome = failure.as_ref().map(|failure| match failure.outcome {
            hindcast_journal::Outcome::NotStored => "none",
            hindcast_journal::Outcome::Unknown => "unknown",
        });
        *log.failure.lock().unwrap() = failure;
        let posts: Vec<_> = (0..3)
            .map(|_| {
                let (app, key, body) = (Arc::clone(&app), key.clone(), body.clone());
                tokio::spawn(async move { app.post("/v1/trades", &key, body).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        log.let_go.notify_waiters();
        for post in posts {
            let answer = post.await.unwrap();
            match outcome {
                None => drop(answer.recorded()),
                Some(outcome) => {
                    answer.refused(503);
                    assert_eq!(answer.body["outcome"], outcome);
                }
            }
        }
    }
    assert_eq!(log.appends.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_nobody_waiting() {
    let (app, log) = slow_app(5_000).await;
    let key = app.key(USER).await;
    let body = with(trade(), json!({"event_id": Uuid::now_v7()})).to_string();
    let given_up = {
        let (app, key, body) = (Arc::clone(&app), key.clone(), body.clone());
        tokio::spawn(async move { app.post("/v1/trades", &key, body).await })
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    given_up.abort();
    let again = tokio::spawn({
        let (app, key, body) = (Arc::clone(&app), key.clone(), body.clone());
        async move { app.post("/v1/trades", &key, body).await.recorded() }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    log.let_go.notify_waiters();
    assert!(again.await.unwrap().1, "it was taken in by the request that was given up");
    assert_eq!(log.appends.load(Ordering::SeqCst), 1);
}
