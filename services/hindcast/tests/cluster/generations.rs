//! Another set of generations, built by a process of its own that is killed now and then, while clients go on.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use hindcast_fold::generation::GenerationSet;
use rand::RngExt;
use serde_json::Value;

use crate::{
    load::{Load, fault_rounds, seeded},
    support::{ADMIN_KEY, Http, judge::assert_refolded, run::hindcast, runtime, writers::OnFailure},
    system::{Services, System},
};

const SETTING: &str = "book.params.ring_trades=32";

fn shorter() -> GenerationSet {
    let mut set = GenerationSet::default();
    set.book.params.ring_trades = 32;
    set
}

/// Plan, build with kills, verify, cutover, rollback, cutover again: no request fails for good, both sets hold what the
/// journal folds into, and every decision derives again from the set that answered.
#[test]
fn a_projection_changes_while_clients_go_on() {
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        system.start("builder-1");
        let load = Load::begin(&system, &mut rng, OnFailure::Repeat(1, Duration::from_millis(500)));
        sleep(Duration::from_secs(5));
        let runtime = runtime();
        let admin = system.http("admin");
        let name = shorter().fingerprint();
        let step = |arguments: &[&str]| -> Value {
            let arguments = [&["--json", "reproject"], arguments].concat();
            let variables = [("HINDCAST_URL", &*admin.url), ("HINDCAST_API_KEY", ADMIN_KEY)];
            let run = runtime.block_on(hindcast(&arguments, &variables));
            assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
            run.json()
        };
        step(&["plan", "--set", SETTING, "--why", "shorter"]);
        step(&["build", &name, "--max-rate", "500", "--no-wait"]);
        for _ in 0..fault_rounds() {
            sleep(Duration::from_millis(rng.random_range(50..700)));
            system.kill("builder-1");
            system.start("builder-1");
        }
        let began = Instant::now();
        step(&["build", &name]);
        println!("built {:?} after the last kill", began.elapsed());
        let verified = step(&["verify", &name]);
        assert_eq!(verified["within_tolerance"], true, "{verified}");
        println!("verified: {}", verified["rows"]);
        assert_eq!(step(&["cutover", &name])["stage"], "active");
        switched_everywhere(&runtime, &system, &name);
        assert_eq!(step(&["rollback"])["name"], GenerationSet::default().fingerprint().as_str());
        sleep(Duration::from_secs(1));
        assert_eq!(step(&["cutover", &name])["stage"], "active");
        sleep(Duration::from_secs(1));
        load.stop_clients();
        sleep(Duration::from_millis(500));
        runtime.block_on(no_lag(&admin));
        let judged = load.end(&mut system, "another set of generations");
        assert_eq!(judged.given_up, 0, "no request may fail for good");
        let (log, codec, views) = system.open(&runtime);
        println!("{} rows of the other set", assert_refolded(&*log, &codec, &views, &shorter()));
    });
}

/// Every process answers from the set within two seconds.
fn switched_everywhere(runtime: &tokio::runtime::Runtime, system: &System, name: &str) {
    let began = Instant::now();
    let tables = format!("book-{name}");
    let admin = system.http("admin");
    let status = runtime.block_on(admin.status());
    assert!(status["tables"].as_array().unwrap().iter().any(|table| *table == *tables), "{status}");
    let wanted = status["control_offset"].as_u64().unwrap();
    let key = runtime.block_on(admin.trader("switched-1"));
    for place in ["confidence-1", "confidence-2"] {
        loop {
            let view = runtime.block_on(system.http(place).get("/v1/views/ES", &key));
            let control = view.header("hindcast-control").map_or(0, |text| text.parse::<u64>().unwrap());
            if view.status.is_success() && control >= wanted {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(2), "{place} has not switched: {view:?}");
            sleep(Duration::from_millis(10));
        }
    }
    println!("switched everywhere after {:?}", began.elapsed());
}

async fn no_lag(admin: &Http) {
    let operator = admin.operator().await;
    let began = Instant::now();
    loop {
        let sets = admin.get("/admin/v1/reprojections", &operator).await.json();
        let lags = sets["reprojections"].as_array().unwrap().iter().map(|set| set["lag_events"].as_u64().unwrap());
        if lags.sum::<u64>() == 0 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{sets}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
