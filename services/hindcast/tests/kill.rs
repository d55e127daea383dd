//! SIGKILL at random moments while clients write: nothing acknowledged is lost, nothing counts twice, views equal a fold
//! from scratch, and every decision derives again.
//!
//! `HINDCAST_SEED` repeats a run's choices, `HINDCAST_KILL_ROUNDS` changes how many rounds there are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

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
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use support::{
    Http, Server,
    judge::judge,
    seed,
    writers::{OnFailure, Places, SYMBOLS, Told, Writer},
};

const USERS: usize = 6;
const CLIENTS_PER_USER: usize = 2;

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let seed = seed();
    let rounds: usize = std::env::var("HINDCAST_KILL_ROUNDS").map_or(20, |text| text.parse().unwrap());
    println!("seed {seed}, {rounds} rounds");
    let result = std::panic::catch_unwind(|| run(seed, rounds));
    if let Err(panic) = result {
        eprintln!("failed with seed {seed}; HINDCAST_SEED={seed} makes the same choices");
        std::panic::resume_unwind(panic);
    }
}

fn run(seed: u64, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut keys = Vec::new();
    let mut told: Vec<Told> = (0..USERS * CLIENTS_PER_USER).map(|_| Told::default()).collect();
    for round in 0..rounds {
        let mut server = Server::start(&data);
        let http = Http::new(&server.url);
        if round == 0 {
            for user in 0..USERS {
                keys.push(runtime.block_on(http.trader(&format!("killed-{user}"))));
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = told
            .drain(..)
            .enumerate()
            .map(|(client, told)| {
                let writer = Writer {
                    places: Places { ingress: vec![http.clone()], confidence: vec![http.clone()] },
                    user: format!("killed-{}", client % USERS),
                    key: keys[client % USERS].clone(),
                    told,
                    seed: rng.next_u64(),
                    // A broken connection is what a kill looks like.
                    on_failure: OnFailure::End,
                    pause: Duration::ZERO,
                    stop: Arc::clone(&stop),
                };
                runtime.spawn(writer.run())
            })
            .collect();
        std::thread::sleep(Duration::from_millis(rng.random_range(30..700)));
        server.kill();
        stop.store(true, Ordering::Release);
        told = clients.into_iter().map(|client| runtime.block_on(client).unwrap()).collect();
    }
    let server = Server::start(&data);
    let http = Http::new(&server.url);
    runtime.block_on(http.caught_up());
    let answers: Vec<_> = (0..USERS)
        .flat_map(|user| SYMBOLS.map(|symbol| (user, symbol)))
        .map(|(user, symbol)| {
            let answer = runtime.block_on(http.get(&format!("/v1/views/{symbol}"), &keys[user])).json();
            ((format!("killed-{user}"), symbol.to_owned()), answer)
        })
        .collect();
    server.stop();
    judge_folder(&data, &told, &answers);
}

fn judge_folder(data: &Path, told: &[Told], answers: &[((String, String), Value)]) {
    let log = EmbeddedLog::open(&data.join("journal"), &EmbeddedLogConfig::default()).unwrap();
    let views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();
    let codec = Codec::new(LocalRegistry).unwrap();
    println!("{:?}", judge(&log, &codec, &views, told, answers));
}
