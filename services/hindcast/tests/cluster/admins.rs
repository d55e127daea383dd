//! Settings reach every process, and of two changes at once one wins.

use std::{
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use hindcast_control::{Change, ChangeError, Control, ControlConfig, Requested};
use hindcast_domain::{TimestampUs, UserId};
use hindcast_journal::kafka::KafkaLog;
use http::{Method, StatusCode};

use crate::{
    support::{runtime, signal},
    system::{Services, System},
};

/// Within which every process has to know a change.
const WITHIN: Duration = Duration::from_secs(2);

#[test]
fn a_revoked_key_stops_working_everywhere() {
    let mut system = System::new(Services::shared());
    for name in ["admin", "ingress-1", "ingress-2", "projector-1", "confidence-1"] {
        system.start(name);
    }
    let runtime = runtime();
    runtime.block_on(async {
        let admin = system.http("admin");
        let places = [
            (system.http("ingress-1"), "/v1/signals"),
            (system.http("ingress-2"), "/v1/signals"),
            (system.http("confidence-1"), "/v1/confidence?dry_run=true"),
        ];
        for round in 0..5 {
            let body = serde_json::json!({"user_id": format!("revoked-{round}"), "scopes": ["trade"]});
            let made = admin.new_key(&admin.operator().await, &body).await;
            let key = made["key"].as_str().unwrap();
            let began = Instant::now();
            for (http, path) in &places {
                while !http.post(path, key, &signal("ES")).await.status.is_success() {
                    assert!(began.elapsed() < WITHIN, "a new key is not known at {} after 2 s", http.url);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            let path = format!("/admin/v1/keys/{}", made["id"].as_str().unwrap());
            let operator = admin.operator().await;
            let revoked = admin.try_send(Method::DELETE, &path, Some(&operator), &[], "").await.unwrap();
            assert!(revoked.status.is_success(), "{revoked:?}");
            let began = Instant::now();
            for (http, path) in &places {
                while http.post(path, key, &signal("ES")).await.status != StatusCode::UNAUTHORIZED {
                    assert!(began.elapsed() < WITHIN, "a revoked key works at {} after 2 s", http.url);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            println!("a revoked key was refused everywhere after {:?}", began.elapsed());
        }
    });
    system.stop_all();
}

#[test]
fn of_two_admins_one_wins() {
    let mut system = System::new(Services::shared());
    system.start("admin");
    let admins: Vec<Arc<Control>> = (0..2)
        .map(|_| {
            let log = Arc::new(KafkaLog::open(&system.log_config()).unwrap());
            Control::follow(log, ControlConfig::default()).unwrap()
        })
        .collect();
    let runtime = runtime();
    let change = |admin: usize, round: u64| {
        let admins = &admins;
        async move {
            // Both know the entity's last change, and give the same id to another user.
            let change = Change::ApiKeyCreated {
                id: format!("race-{round}"),
                user_id: UserId::new(&format!("racing-{admin}")).unwrap(),
                scopes: vec!["trade".to_owned()],
                sha256: format!("{:064x}", u128::from(round) * 2 + admin as u128),
                expires_at: None,
                requests_per_minute: None,
            };
            let by = format!("admin-{admin}");
            let at = TimestampUs(1_000_000);
            admins[admin].change(Requested { change, based_on: None, by, why: "a race".to_owned(), at }).await
        }
    };
    let mut wins = [0, 0];
    for round in 0..20 {
        let (first, second) = runtime
            .block_on(async { tokio::join!(change(round as usize % 2, round), change(1 - round as usize % 2, round)) });
        let outcomes = if round % 2 == 0 { [first, second] } else { [second, first] };
        let winner = outcomes.iter().position(Result::is_ok).expect("one wins");
        wins[winner] += 1;
        let lost = &outcomes[1 - winner];
        assert!(matches!(lost, Err(ChangeError::Conflict(_) | ChangeError::Refused { .. })), "{lost:?}");
        let offset = *outcomes[winner].as_ref().unwrap();
        for admin in &admins {
            assert!(
                runtime.block_on(admin.reached(offset + 1, WITHIN))
                    || admin.key_by_id(&format!("race-{round}")).is_some()
            );
            let key = admin.key_by_id(&format!("race-{round}")).unwrap();
            assert_eq!(key.user_id.as_str(), format!("racing-{winner}"), "everyone knows the same");
        }
    }
    println!("of 20 races the admins won {wins:?}");
    sleep(Duration::from_millis(10));
    system.stop_all();
}
