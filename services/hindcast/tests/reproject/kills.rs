//! SIGKILL in every stage of the life of a set.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::{
    clients::{Clients, USERS, answers, history, judge_folder, keys},
    support::{
        Http, Server,
        reproject::{changed, done, plan, plan_again, stage, step, until_no_lag},
        runtime, seed,
        writers::{OnFailure, Told},
    },
};

/// The stage of a set in which the process is killed, one a round.
const KILLED_WHILE: [&str; 7] = ["building", "verifying", "building", "ready", "active", "building", "standby"];

/// The process is killed in every stage of the life of a set, each time of another system; the builder and the projector
/// die with it. Taking the steps again ends in the very same rows.
#[test]
fn a_build_that_is_killed_goes_on() {
    let seed = seed();
    let rounds: usize = std::env::var("HINDCAST_REPROJECT_ROUNDS").map_or(10, |text| text.parse().unwrap());
    println!("seed {seed}, {rounds} rounds");
    let mut rng = StdRng::seed_from_u64(seed);
    for wanted in KILLED_WHILE.into_iter().cycle().take(rounds) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (told, answers) = runtime().block_on(killed_while(wanted, &data, &mut rng));
        judge_folder(&data, &told, &answers);
    }
}

/// One system that is killed while its other set is in a stage, and then brought to the end.
async fn killed_while(wanted: &str, data: &Path, rng: &mut StdRng) -> (Vec<Told>, Vec<((String, String), Value)>) {
    // So many steps between flushes that a kill meets one.
    let slowly = [("HINDCAST_BUILDER__FLUSH_INTERVAL_MS", "20"), ("HINDCAST_BUILDER__READ_RECORDS", "512")];
    let mut server = Server::start_with(data, &slowly);
    let http = Http::new(&server.url);
    let keys = keys(&http, "moved").await;
    history(&http, &keys, 20, rng).await;
    let nothing = (0..USERS).map(|_| Told::default()).collect();
    let clients = Clients::start(&http, "moved", keys.clone(), nothing, OnFailure::End, rng);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let url = server.url.clone();
    let steps = tokio::spawn(async move {
        let name = changed().fingerprint();
        plan(&url, &[]).await;
        step(&url, &["build", &name, "--max-rate", "10000"]).await;
        loop {
            for arguments in [&["verify", &*name][..], &["cutover", &name], &["rollback"]] {
                step(&url, arguments).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let name = changed().fingerprint();
    let operator = http.operator().await;
    let since = Instant::now();
    while stage(&http, &operator, &name).await != wanted {
        assert!(since.elapsed() < Duration::from_secs(60), "the set was never {wanted}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Still within that stage.
    let most_ms = match wanted {
        "building" => 700,
        "verifying" => 5,
        _ => 150,
    };
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..most_ms))).await;
    server.kill();
    steps.abort();
    let told = clients.stop().await;

    let server = Server::start(data);
    let http = Http::new(&server.url);
    plan_again(&server.url).await;
    let built = done(&server.url, &["build", &name]).await;
    println!(
        "killed while {wanted}: after {} steps it is {}",
        built["steps"].as_array().unwrap().len(),
        built["stage"]
    );
    if built["stage"] != "active" {
        done(&server.url, &["verify", &name]).await;
    }
    done(&server.url, &["cutover", &name]).await;
    http.caught_up().await;
    until_no_lag(&http).await;
    let answers = answers(&http, "moved", &keys).await;
    server.stop();
    (told, answers)
}
