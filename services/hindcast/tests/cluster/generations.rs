//! Another set of generations, built by a process of its own, while clients go on and processes are killed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use hindcast_fold::generation::GenerationSet;
use rand::RngExt;

use crate::{
    load::{Load, seeded},
    support::{
        Http,
        judge::{Judged, assert_refolded},
        reproject::{changed, done, plan, plan_again, stage, step, until_no_lag},
        runtime,
        writers::{OnFailure, whole_history},
    },
    system::{Services, System},
};

/// Each of these tests keeps both cores busy: at the same time they would only wait for each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Plan, build, verify, cutover, rollback, cutover again over the history of many users: no request fails for good, both
/// sets hold what the journal folds into, and every decision derives again from the set that answered.
#[test]
fn a_projection_changes_while_clients_go_on() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        system.start("builder-1");
        let runtime = runtime();
        let events = runtime.block_on(whole_history(&system.http("ingress-1"), &mut rng, &system.http("admin")));
        let load = Load::begin(&system, &mut rng, OnFailure::Repeat(1, Duration::from_millis(500)));
        let admin = system.http("admin");
        let name = changed().fingerprint();
        let step = |arguments: &[&str]| runtime.block_on(done(&admin.url, arguments));
        let historian = runtime.block_on(admin.trader("history-0"));
        let planned = runtime.block_on(plan(&admin.url, &["--why", "regimes"])).json();
        assert!(planned["events"].as_u64() >= Some(events as u64), "{planned}");
        let began = Instant::now();
        step(&["build", &name]);
        println!("{events} events built after {:?}", began.elapsed());
        let verified = step(&["verify", &name]);
        assert_eq!(verified["within_tolerance"], true, "{verified}");
        println!("verified: {}", verified["rows"]);
        let since = Instant::now();
        assert_eq!(step(&["cutover", &name])["stage"], "active");
        switched_everywhere(&runtime, &system, &historian, since);
        assert_eq!(step(&["rollback"])["name"], GenerationSet::default().fingerprint().as_str());
        sleep(Duration::from_secs(1));
        assert_eq!(step(&["cutover", &name])["stage"], "active");
        sleep(Duration::from_secs(1));
        let judged = judged(load, &mut system, &admin, "another set of generations");
        assert_eq!(judged.repeated, 0, "no request may fail, not even once");
    });
}

/// Kills that meet the build, before others.
const BUILD_ROUNDS: usize = 4;

/// The builder, a projector or the admin is killed at any moment of the life of a set; taking the steps again ends in the
/// very same rows.
#[test]
fn a_change_whose_processes_are_killed_goes_on() {
    let rounds: usize = std::env::var("HINDCAST_REPROJECT_ROUNDS").map_or(10, |text| text.parse().unwrap());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        system.start("builder-1");
        let load = Load::begin(&system, &mut rng, OnFailure::Repeat(1, Duration::from_millis(500)));
        sleep(Duration::from_secs(5));
        let runtime = runtime();
        let admin = system.http("admin");
        let operator = runtime.block_on(admin.operator());
        let name = changed().fingerprint();
        let url = admin.url.clone();
        // Slowly, until the build has met its kills.
        let met = Arc::new(AtomicBool::new(false));
        let is_met = Arc::clone(&met);
        let steps = runtime.spawn(async move {
            let name = changed().fingerprint();
            plan(&url, &[]).await;
            while !is_met.load(Ordering::Acquire) {
                step(&url, &["build", &name, "--max-rate", "100", "--no-wait"]).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            loop {
                for arguments in [&["build", &*name][..], &["verify", &name], &["cutover", &name], &["rollback"]] {
                    step(&url, arguments).await;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        });
        let mut killed = BTreeMap::<(String, String), usize>::new();
        for round in 0..rounds {
            let victim = ["builder-1", "projector-1", "admin", "builder-1", "projector-2"][round % 5];
            // What is over soon may be over already.
            let wanted: &[&str] = match round {
                0..BUILD_ROUNDS => &["building"],
                BUILD_ROUNDS => &["verifying", "ready", "active"],
                _ if round % 2 == 1 => &["ready", "standby"],
                _ => &["active"],
            };
            met.store(round >= BUILD_ROUNDS, Ordering::Release);
            let since = Instant::now();
            while !wanted.contains(&&*runtime.block_on(stage(&admin, &operator, &name))) {
                assert!(since.elapsed() < Duration::from_secs(60), "the set was never {wanted:?}");
                sleep(Duration::from_millis(5));
            }
            sleep(Duration::from_millis(rng.random_range(0..400)));
            let stage = runtime.block_on(stage(&admin, &operator, &name));
            system.kill(victim);
            println!("{victim} killed while the set was {stage}");
            *killed.entry((victim.split('-').next().unwrap().to_owned(), stage)).or_default() += 1;
            system.start(victim);
        }
        steps.abort();
        println!("killed: {killed:?}");
        if rounds > BUILD_ROUNDS {
            let while_building = killed.keys().filter(|(_, stage)| stage == "building").map(|(role, _)| role.as_str());
            assert_eq!(while_building.collect::<Vec<_>>(), ["admin", "builder", "projector"], "{killed:?}");
        }
        runtime.block_on(plan_again(&admin.url));
        let built = runtime.block_on(done(&admin.url, &["build", &name]));
        if built["stage"] != "active" {
            runtime.block_on(done(&admin.url, &["verify", &name]));
        }
        runtime.block_on(done(&admin.url, &["cutover", &name]));
        judged(load, &mut system, &admin, "killed while another set was made");
    });
}

/// Nothing may have failed for good, and both sets are what they have to be.
fn judged(load: Load, system: &mut System, admin: &Http, what: &str) -> Judged {
    let runtime = runtime();
    load.stop_clients();
    sleep(Duration::from_millis(500));
    runtime.block_on(until_no_lag(admin));
    let judged = load.end(system, what);
    assert_eq!(judged.given_up, 0, "no request may fail for good");
    let (log, codec, views) = system.open(&runtime);
    println!("{} rows of the other set", assert_refolded(&*log, &codec, &views, &changed()));
    judged
}

/// Within two seconds of the cutover every process answers from the set, which keeps regimes; the user has trades.
fn switched_everywhere(runtime: &tokio::runtime::Runtime, system: &System, key: &str, since: Instant) {
    for place in ["confidence-1", "confidence-2"] {
        loop {
            let view = runtime.block_on(system.http(place).get("/v1/views/ES", key));
            assert!(view.status.is_success(), "{view:?}");
            if view.json()["regimes"].as_array().is_some_and(|regimes| !regimes.is_empty()) {
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(2), "{place} has not switched: {view:?}");
            sleep(Duration::from_millis(10));
        }
    }
    println!("switched everywhere {:?} after the cutover began", since.elapsed());
}
