//! The commands that talk to a running system, against a real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::run::{Run, hindcast};
use support::{ADMIN_KEY, Http, Server};

fn experiences() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/es_experiences.jsonl");
    assert!(path.exists(), "the real signals are absent: {} (see ../shared/data/README.md)", path.display());
    path
}

async fn keys(server: &Server, key: &str, arguments: &[&str]) -> Run {
    let arguments: Vec<_> = ["keys"].iter().chain(arguments).copied().collect();
    hindcast(&arguments, &[("HINDCAST_URL", &server.url), ("HINDCAST_API_KEY", key)]).await
}

async fn import(server: &Server, key: &str, file: &Path, user: &str) -> Run {
    let arguments = ["import", file.to_str().unwrap(), "--user", user, "--json"];
    hindcast(&arguments, &[("HINDCAST_URL", &server.url), ("HINDCAST_API_KEY", key)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_created_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);

    let created = keys(&server, ADMIN_KEY, &["create", "--user", "desk-1", "--expires", "90d", "--json"]).await;
    assert_eq!(created.code, 0, "{created:?}");
    let created = created.json();
    assert_eq!((&created["user_id"], &created["scopes"]), (&json!("desk-1"), &json!(["trade"])));
    let (id, secret) = (created["id"].as_str().unwrap(), created["key"].as_str().unwrap());
    assert!(created["expires_at"].is_string());
    assert_eq!(http.get("/v1/views/ES", secret).await.status, 200);

    let shown = keys(&server, ADMIN_KEY, &["create", "--user", "desk-2", "--scopes", "trade,replay"]).await;
    assert!(shown.stdout.contains("desk-2") && shown.stdout.contains("  hc_"), "{shown:?}");

    let listed = keys(&server, ADMIN_KEY, &["list", "--json"]).await.json();
    let users: Vec<_> = listed["keys"].as_array().unwrap().iter().map(|key| key["user_id"].clone()).collect();
    assert_eq!(users, ["admin", "desk-1", "desk-2"]);
    assert!(!listed.to_string().contains(secret));
    let table = keys(&server, ADMIN_KEY, &["list"]).await.stdout;
    assert!(table.contains(id) && table.contains("trade,replay"), "{table}");

    let revoked = keys(&server, ADMIN_KEY, &["revoke", id, "--json"]).await;
    assert!(revoked.json()["revoked_at"].is_string(), "{revoked:?}");
    assert_eq!(http.get("/v1/views/ES", secret).await.status, 401);
    assert!(keys(&server, ADMIN_KEY, &["list"]).await.stdout.contains("revoked"));

    for (key, arguments, code, expected) in [
        (secret, vec!["list"], 1, "put a valid key into HINDCAST_API_KEY"),
        (ADMIN_KEY, vec!["revoke", "absent"], 1, "(404)"),
        (ADMIN_KEY, vec!["create", "--user", "x"], 1, "/user_id"),
        (ADMIN_KEY, vec!["create", "--user", "desk-1", "--scopes", "root"], 1, "/scopes/0"),
        (ADMIN_KEY, vec!["create", "--user", "desk-1", "--expires", "soon"], 2, "90d"),
        (ADMIN_KEY, vec!["list", "--url", "https://127.0.0.1"], 2, "TLS is terminated by a proxy"),
    ] {
        let run = keys(&server, key, &arguments).await;
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(expected), "{arguments:?}: {run:?}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
async fn real_history_is_imported_once_however_often_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let http = Http::new(&server.url);
    let key = http.trader("desk-1").await;

    let first = import(&server, &key, &experiences(), "desk-1").await;
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!((&first.json()["new"], &first.json()["failed"]), (&json!(3_082), &json!(0)));
    http.caught_up().await;
    let view = http.get("/v1/views/ES", &key).await.json();
    let expected = outcomes();
    for (field, number) in [("signals", 1_541), ("trades", 864), ("simulated_trades", 677)] {
        assert_eq!(view[field], number, "{field} of {view}");
    }
    assert_eq!((view["wins"].as_u64(), view["simulated_wins"].as_u64()), (Some(expected.0), Some(expected.1)));

    let again = import(&server, &key, &experiences(), "desk-1").await.json();
    assert_eq!((&again["new"], &again["duplicates"]), (&json!(0), &json!(3_082)), "{again}");
    // A restart forgets nothing of it, and neither does a journal that is folded on.
    server.stop();
    let server = Server::start(&data);
    let again = import(&server, &key, &experiences(), "desk-1").await.json();
    assert_eq!(again["sent"], 3_082);
    let http = Http::new(&server.url);
    http.caught_up().await;
    let unchanged = |mut view: Value| {
        view.as_object_mut().unwrap().retain(|name, _| !["position", "behind"].contains(&name.as_str()));
        view
    };
    assert_eq!(unchanged(http.get("/v1/views/ES", &key).await.json()), unchanged(view));
    server.stop();
}

/// Wins of the trades taken and of those followed on paper, counted by hand.
fn outcomes() -> (u64, u64) {
    let (mut taken, mut simulated) = (0, 0);
    for line in std::fs::read_to_string(experiences()).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let won = u64::from(row["pnl"].as_f64().unwrap() > 0.0);
        if row["took_trade"] == true { taken += won } else { simulated += won }
    }
    (taken, simulated)
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
async fn a_key_of_somebody_else_imports_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let key = http.trader("desk-2").await;
    let run = import(&server, &key, &experiences(), "desk-1").await;
    assert_eq!((run.code, &run.json()["new"]), (1, &json!(0)), "{run:?}");
    assert!(run.stderr.contains("(403)") && run.stderr.contains("of the user that --user names"), "{run:?}");
    assert!(
        http.log_ends().await.iter().map(|[journal, ..]| journal).sum::<u64>() <= 8,
        "only beginnings of partitions"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
async fn an_import_waits_for_its_rate_limit() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    // Seven batches of at most 500 events cost five each: more than the burst of this key.
    let key = Http::new(&server.url).key("desk-1", &["trade"], Some(600)).await;
    let run = import(&server, &key, &experiences(), "desk-1").await;
    assert_eq!((run.code, &run.json()["new"]), (0, &json!(3_082)), "{run:?}");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
async fn the_real_history_is_evaluated() {
    let evaluated = hindcast(&["evaluate", "--walk-forward", experiences().to_str().unwrap(), "--json"], &[]).await;
    let report = evaluated.json();
    assert_eq!((evaluated.code, &report["n"], &report["with_twins"]["n"]), (0, &json!(550), &json!(1_441)));
    assert!(report["gain_interval"][0].as_f64().unwrap() > 0.0, "{report}");
    let shown = hindcast(&["evaluate", "--walk-forward", experiences().to_str().unwrap()], &[]).await;
    assert!(shown.stdout.contains("the interval of the gain excludes 0"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_without_a_server() {
    let checked = hindcast(&["schema", "check", "--json"], &[]).await;
    assert_eq!((checked.code, &checked.json()["incompatible"]), (0, &json!([])));
    let absent = hindcast(&["evaluate", "--walk-forward", "absent.jsonl"], &[]).await;
    assert!(absent.code == 1 && absent.stderr.starts_with("error: cannot read absent.jsonl"), "{absent:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = hindcast(&["completions", shell], &[]).await;
        assert!(script.code == 0 && script.stdout.contains("walk-forward"), "{script:?}");
    }
}
