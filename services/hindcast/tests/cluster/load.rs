//! Clients that write throughout a fault, and the judgement afterwards.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{
    support::{
        judge::{Judged, judge},
        runtime, seed,
        writers::{OnFailure, SYMBOLS, Told, Writer},
    },
    system::System,
};

const USERS: usize = 8;
/// Between two requests of a client: the machine has two cores, and everything runs on them.
const PAUSE: Duration = Duration::from_millis(20);

/// How often each fault happens.
pub(crate) fn fault_rounds() -> usize {
    std::env::var("HINDCAST_FAULT_ROUNDS").map_or(5, |text| text.parse().unwrap())
}

/// Clients under way.
pub(crate) struct Load {
    runtime: Runtime,
    keys: Vec<String>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Told>>,
}

impl Load {
    /// One client for each of a few users, each sending what failed again as often as told.
    pub(crate) fn begin(system: &System, rng: &mut StdRng, on_failure: OnFailure) -> Self {
        let places = system.places();
        let (runtime, stop) = (runtime(), Arc::new(AtomicBool::new(false)));
        let admin = system.http("admin");
        let keys: Vec<String> =
            (0..USERS).map(|user| runtime.block_on(admin.trader(&format!("faulty-{user}")))).collect();
        // Keys reach every process within two seconds.
        std::thread::sleep(Duration::from_secs(2));
        let clients = keys.iter().enumerate().map(|(user, key)| {
            let writer = Writer {
                places: places.clone(),
                user: format!("faulty-{user}"),
                key: key.clone(),
                told: Told::default(),
                seed: rng.next_u64(),
                on_failure,
                pause: PAUSE,
                stop: Arc::clone(&stop),
            };
            runtime.spawn(writer.run())
        });
        let clients = clients.collect();
        Self { runtime, keys, stop, clients }
    }

    /// Has the clients end after the request that they are at.
    pub(crate) fn stop_clients(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Ends the clients, waits until everything is projected, ends the system and judges it.
    pub(crate) fn end(self, system: &mut System, what: &str) -> Judged {
        self.stop_clients();
        let told: Vec<Told> = self.clients.into_iter().map(|client| self.runtime.block_on(client).unwrap()).collect();
        let began = Instant::now();
        if let Err(status) = self.runtime.block_on(system.http("admin").catches_up()) {
            for name in system.processes.keys().filter(|name| name.starts_with("projector")) {
                let health = self.runtime.block_on(system.http(name).get("/health", ""));
                println!("{name}: {health:?}");
            }
            panic!("{what}: the projection did not catch up: {status}");
        }
        let caught_up_after = began.elapsed();
        let reader = system.http("confidence-1");
        let answers: Vec<_> = (0..USERS)
            .flat_map(|user| SYMBOLS.map(|symbol| (user, symbol)))
            .map(|(user, symbol)| {
                let path = format!("/v1/views/{symbol}");
                let answer = self.runtime.block_on(current(&reader, &path, &self.keys[user]));
                ((format!("faulty-{user}"), symbol.to_owned()), answer)
            })
            .collect();
        system.stop_all();
        let (log, codec, views) = system.open(&self.runtime);
        let judged = judge(&*log, &codec, &views, &told, &answers);
        println!("{what}: {judged:?}, caught up after {caught_up_after:?}");
        judged
    }
}

/// A view that is not older than the cache allows: asked again after that time.
async fn current(http: &crate::support::Http, path: &str, key: &str) -> serde_json::Value {
    http.get(path, key).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    http.get(path, key).await.json()
}

/// Runs a test with a seed that is printed when it fails.
pub(crate) fn seeded(run: impl FnOnce(StdRng)) {
    let seed = seed();
    println!("seed {seed}");
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(StdRng::seed_from_u64(seed))));
    if let Err(panic) = result {
        eprintln!("failed with seed {seed}; HINDCAST_SEED={seed} makes the same choices");
        std::panic::resume_unwind(panic);
    }
}
