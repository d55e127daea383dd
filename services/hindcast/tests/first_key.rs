//! The first key out of a file, and what keys and tokens tell a proxy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use http::StatusCode;
use serde_json::{Value, json};
use support::{ADMIN_KEY, Http, Server, command, runtime};

/// Killed when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(data: &Path, key_file: &Path) -> Command {
    let mut command = command();
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.env("HINDCAST_BOOTSTRAP_ADMIN_KEY_FILE", key_file);
    command
}

#[test]
fn a_file_brings_the_first_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{ADMIN_KEY}\n")).unwrap();
    let mut serving = Serving(serve(&folder.path().join("data"), &file).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(serving.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.contains(ADMIN_KEY), "{line}");
    let told: Value = serde_json::from_str(&line).unwrap();
    let url = told["listening"].as_str().unwrap();
    runtime().block_on(async {
        let http = Http::new(url);
        assert_eq!(http.get("/admin/v1/status", ADMIN_KEY).await.status, StatusCode::OK);
    });
}

#[test]
fn a_file_that_brings_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let refused = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let file = folder.path().join("key");
    let said = refused(&mut serve(&data, &file));
    assert!(said.contains("HINDCAST_BOOTSTRAP_ADMIN_KEY_FILE") && said.contains("No such file"), "{said}");
    std::fs::write(&file, "short").unwrap();
    let said = refused(&mut serve(&data, &file));
    assert!(said.contains("fewer than 22 characters") && !said.contains("short;"), "{said}");
    let said = refused(serve(&data, &file).env("HINDCAST_BOOTSTRAP_ADMIN_KEY", ADMIN_KEY));
    assert!(said.contains("set one of them"), "{said}");
}

/// A proxy that hashes on it sends all requests of a user to one replica.
#[test]
fn a_token_names_the_route_of_its_users_keys() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    runtime().block_on(async {
        let http = Http::new(&server.url);
        let key = http.trader("proxied-1").await;
        let answer = http.post("/v1/auth/token", &key, &json!({})).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&token).unwrap().claims;
        assert_eq!(claims["route"].as_str().unwrap(), key.split('_').nth(1).unwrap());
    });
}
