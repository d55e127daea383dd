//! Clients that go on meanwhile, and what they leave behind.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hindcast_journal::embedded::{EmbeddedLog, EmbeddedLogConfig};
use hindcast_schemas::{Codec, LocalRegistry};
use hindcast_views::embedded::{EmbeddedViews, EmbeddedViewsConfig};
use rand::{Rng, rngs::StdRng};
use serde_json::Value;

use crate::support::{
    Http,
    judge::{assert_refolded, judge},
    reproject::changed,
    writers::{OnFailure, Places, SYMBOLS, Told, Writer, events},
};

pub(crate) const USERS: usize = 4;

/// Clients that write without end.
pub(crate) struct Clients {
    pub(crate) keys: Vec<String>,
    stop: Arc<AtomicBool>,
    running: Vec<tokio::task::JoinHandle<Told>>,
}

impl Clients {
    /// Clients of the users of that name, by turns.
    pub(crate) fn start(
        http: &Http,
        name: &str,
        keys: Vec<String>,
        told: Vec<Told>,
        on_failure: OnFailure,
        rng: &mut StdRng,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let running = told
            .into_iter()
            .enumerate()
            .map(|(client, told)| {
                let writer = Writer {
                    places: Places { ingress: vec![http.clone()], confidence: vec![http.clone()] },
                    user: format!("{name}-{}", client % USERS),
                    key: keys[client % USERS].clone(),
                    told,
                    seed: rng.next_u64(),
                    on_failure,
                    pause: Duration::from_millis(1),
                    stop: Arc::clone(&stop),
                };
                tokio::spawn(writer.run())
            })
            .collect();
        Self { keys, stop, running }
    }

    pub(crate) async fn stop(self) -> Vec<Told> {
        self.stop.store(true, Ordering::Release);
        let mut told = Vec::new();
        for client in self.running {
            told.push(client.await.unwrap());
        }
        told
    }
}

/// Keys of the users of a name.
pub(crate) async fn keys(http: &Http, name: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for user in 0..USERS {
        keys.push(http.trader(&format!("{name}-{user}")).await);
    }
    keys
}

/// Brings in history, so that a build takes a while: batches of 500 events, of the users in turn.
pub(crate) async fn history(http: &Http, keys: &[String], batches: usize, rng: &mut StdRng) {
    for batch in 0..batches {
        let answer = http.post("/v1/events", &keys[batch % keys.len()], &events(500, rng)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// The views of the users of a name.
pub(crate) async fn answers(http: &Http, name: &str, keys: &[String]) -> Vec<((String, String), Value)> {
    // Without a position to wait for, rows of up to a second ago may serve.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let mut answers = Vec::new();
    for (user, key) in keys.iter().enumerate() {
        for symbol in SYMBOLS {
            let answer = http.get(&format!("/v1/views/{symbol}"), key).await;
            answers.push(((format!("{name}-{user}"), symbol.to_owned()), answer.json()));
        }
    }
    answers
}

/// Both sets hold what the journal folds into, and everything else is as it has to be.
pub(crate) fn judge_folder(data: &Path, told: &[Told], answers: &[((String, String), Value)]) {
    let log = EmbeddedLog::open(&data.join("journal"), &EmbeddedLogConfig::default()).unwrap();
    let views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();
    let codec = Codec::new(LocalRegistry).unwrap();
    println!("{:?}", judge(&log, &codec, &views, told, answers));
    println!("{} rows of the other set", assert_refolded(&log, &codec, &views, &changed()));
}
