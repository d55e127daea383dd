//! Every step from plan to a second cutover, and every refusal on the way, while clients write and read.

use std::time::Duration;

use hindcast_fold::generation::GenerationSet;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    clients::{Clients, USERS, answers, judge_folder, keys},
    support::{
        Http, Server,
        reproject::{PATH, changed, done, plan, step},
        runtime, seed,
        writers::{OnFailure, Told, whole_history},
    },
};

#[test]
fn a_projection_changes_while_clients_go_on() {
    let seed = seed();
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (told, answers) = runtime().block_on(async {
        let mut rng = StdRng::seed_from_u64(seed);
        let server = Server::start(&data);
        let http = Http::new(&server.url);
        let keys = keys(&http, "moved").await;
        let others = whole_history(&http, &mut rng, &http).await;
        let nothing = (0..USERS * 2).map(|_| Told::default()).collect();
        // A client repeats once what is refused; none may have to.
        let repeats = OnFailure::Repeat(1, Duration::from_millis(100));
        let clients = Clients::start(&http, "moved", keys, nothing, repeats, &mut rng);

        let url = &*server.url;
        let name = changed().fingerprint();
        let looked = plan(url, &["--dry-run"]).await.json();
        assert_eq!((looked["planned"].as_bool(), looked["name"].as_str()), (Some(false), Some(&*name)));
        assert_eq!(step(url, &["build", &name]).await.code, 1, "nothing was planned");
        assert!(plan(url, &["--why", "regimes"]).await.json()["events"].as_u64() >= Some(others as u64));
        assert!(step(url, &["cutover", &name]).await.stderr.contains("build and verify it"));
        done(url, &["build", &name]).await;
        assert!(step(url, &["cutover", &name]).await.stderr.contains("was not verified"));
        let verified = done(url, &["verify", &name]).await;
        assert_eq!(verified["within_tolerance"], true, "{verified}");
        assert!(verified["effect"]["decisions"].as_u64() > Some(0), "{verified}");
        let strict = step(url, &["verify", &name, "--flipped-share", "0", "--dry-run"]).await;
        let flips = strict.json()["effect"]["skip_to_take"].as_u64() > Some(0)
            || strict.json()["effect"]["take_to_skip"].as_u64() > Some(0);
        assert_eq!(strict.code, if flips { 3 } else { 0 }, "{strict:?}");
        assert_eq!(done(url, &["cutover", &name, "--dry-run"]).await["stage"], "ready");
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active");
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active", "twice is once");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = GenerationSet::default().fingerprint();
        assert_eq!(done(url, &["rollback"]).await["name"], *before);
        let again = http.post(&format!("{PATH}/rollback"), &http.operator().await, &json!({"from": name})).await.json();
        assert_eq!((&again["name"], &again["stage"]), (&json!(before), &json!("active")), "sent twice is once");
        let strange = json!({"from": "no such set"});
        let refused = http.post(&format!("{PATH}/rollback"), &http.operator().await, &strange).await;
        assert_eq!(refused.status, 404, "{refused:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(done(url, &["cutover", &name]).await["stage"], "active");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(step(url, &["drop", &name, "--yes"]).await.stderr.contains("active"));
        assert_eq!(step(url, &["drop", &name]).await.code, 2, "nobody is there to be asked");

        let keys = clients.keys.clone();
        let told = clients.stop().await;
        http.caught_up().await;
        let answers = answers(&http, "moved", &keys).await;
        for (_, view) in &answers {
            let by_regime = view["regimes"].as_array().unwrap().iter().map(|regime| regime["trades"].as_u64().unwrap());
            let outside = view["trades_voided_outside_ring"].as_u64().unwrap();
            assert!(by_regime.sum::<u64>() <= view["trades"].as_u64().unwrap() + outside, "{view}");
        }
        server.stop();
        (told, answers)
    });
    assert_eq!(told.iter().map(|told| told.given_up + told.repeated).sum::<u64>(), 0, "requests failed");
    judge_folder(&data, &told, &answers);
}
