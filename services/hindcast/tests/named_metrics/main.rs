//! Every metric that an alert or a panel names is one that a running server tells, and each alert's runbook is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod promql;
#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use http::StatusCode;
use serde_json::{Value, json};
use support::{ADMIN_KEY, Http, Server, runtime, signal, trade};

/// Told by Prometheus itself about each of its targets.
const OF_PROMETHEUS: [&str; 1] = ["up"];

#[test]
fn alerts_and_panels_name_metrics_that_are_there() {
    let told = runtime().block_on(metrics_after_some_requests());
    let named = named();
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named
        .iter()
        .filter(|(metric, _)| !told.contains(*metric) && !OF_PROMETHEUS.contains(&metric.as_str()))
        .map(|(metric, places)| format!("{metric}, named by {}", places.join(" and ")))
        .collect();
    assert!(missing.is_empty(), "no server tells\n  {}", missing.join("\n  "));
}

#[test]
fn every_alert_names_a_runbook_that_is_there() {
    for (alert, rule) in alerts() {
        let runbook = rule["annotations"]["runbook"].as_str().unwrap_or_else(|| panic!("{alert} names no runbook"));
        assert!(root().join(runbook).is_file(), "{alert}: {runbook} is not there");
    }
}

/// Names of all series of a server that has answered something of each kind.
async fn metrics_after_some_requests() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let http = Http::new(&server.url);
    let key = http.trader("metrics-1").await;
    for (path, body, status) in [
        ("/v1/signals", signal("ES"), StatusCode::CREATED),
        ("/v1/trades", trade("ES", 287.5), StatusCode::CREATED),
        ("/v1/confidence", signal("ES"), StatusCode::OK),
        ("/v1/signals", json!({"symbol": "nothing"}), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = http.post(path, &key, &body).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    http.caught_up().await;
    let answer = http.get("/metrics", ADMIN_KEY).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// Metrics by name, each with the alerts and panels that name it.
fn named() -> BTreeMap<String, Vec<String>> {
    let mut named = BTreeMap::<String, Vec<String>>::new();
    let mut note = |place: String, expression: &str| {
        let metrics = promql::metrics(expression);
        assert!(!metrics.is_empty(), "{place} names no metric: {expression}");
        for metric in metrics {
            named.entry(metric.to_owned()).or_default().push(place.clone());
        }
    };
    for (alert, rule) in alerts() {
        note(format!("alert {alert}"), rule["expr"].as_str().unwrap());
    }
    for panel in panels() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().unwrap() {
            note(format!("panel {title:?}"), target["expr"].as_str().unwrap());
        }
    }
    named
}

fn alerts() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(root().join("infra/prometheus/alerts.yml")).unwrap();
    let rules: Value = serde_norway::from_str(&text).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    let alerts = groups.flat_map(|group| group["rules"].as_array().unwrap());
    alerts.map(|rule| (rule["alert"].as_str().unwrap().to_owned(), rule.clone())).collect()
}

fn panels() -> Vec<Value> {
    let folder = root().join("infra/grafana/dashboards");
    let dashboards = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()));
    let panels = |text: String| serde_json::from_str::<Value>(&text).unwrap()["panels"].as_array().unwrap().clone();
    dashboards.flat_map(|text| panels(text.unwrap())).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
