//! Keys and tokens that let nobody in.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cases::{JSON, System, get, post},
    support::{signal, with},
    tokens::{forged_tokens, own_keys},
};

#[tokio::test]
async fn credentials() {
    let system = System::start();
    let http = &system.http;
    let operator = http.operator().await;
    let new = |fields: Value| with(json!({"user_id": "careless-1", "scopes": ["trade"]}), fields);
    let good = http.trader("careless-1").await;
    let brief = http.new_key(&operator, &new(json!({"expires_in_s": 1}))).await;
    let revoked = http.new_key(&operator, &new(json!({}))).await;
    let path = format!("/admin/v1/keys/{}", revoked["id"].as_str().unwrap());
    let answer = http.try_send(Method::DELETE, &path, Some(&operator), &[], "").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    let token =
        http.post("/v1/auth/token", &good, &json!({})).await.json()["access_token"].as_str().unwrap().to_owned();
    let forged = forged_tokens(http, &token).await;
    let own = own_keys(&system.folder.path().join("data"), &token);

    let body = signal("ES").to_string();
    let with_header = |what: &'static str, name: &'static str, value: &str| {
        post(what, "/v1/signals", &body, 401, "unauthorized").header(name, value)
    };
    let key = |secret: &Value| secret["key"].as_str().unwrap().to_owned();
    let mut cases = vec![
        post("no credentials", "/v1/signals", &body, 401, "unauthorized"),
        get("no credentials", "/v1/views/ES", 401, "unauthorized"),
        get("no credentials", "/admin/v1/status", 401, "unauthorized"),
        get("no credentials", "/v1/journal?partition=0", 401, "unauthorized"),
        with_header("an empty key", "x-api-key", ""),
        with_header("a garbled key", "x-api-key", &format!("{}x", &good[..good.len() - 1])),
        with_header("half a key", "x-api-key", &good[..good.len() / 2]),
        with_header("a key of its route only", "x-api-key", "hc_aaaaaaaa_"),
        with_header("a very long key", "x-api-key", &"x".repeat(6_000)),
        with_header("an expired key", "x-api-key", &key(&brief)),
        with_header("a revoked key", "x-api-key", &key(&revoked)),
        with_header("a user and a password", "authorization", "Basic dXNlcjpwYXNz"),
        with_header("nothing after Bearer", "authorization", "Bearer"),
        with_header("a garbled token", "authorization", &format!("Bearer {}A", &token[..token.len() - 2])),
        with_header("two dots", "authorization", "Bearer .."),
        with_header("two credentials that differ", "authorization", &format!("Bearer {token}"))
            .header("x-api-key", &good),
    ];
    for (what, forged) in forged.into_iter().chain(own) {
        cases.push(with_header(what, "authorization", &format!("Bearer {forged}")));
    }
    system.refuses(None, cases).await;
    // The token and the key that the forgeries were made from do work.
    for (name, value) in [("authorization", format!("Bearer {token}")), ("x-api-key", good)] {
        let headers = [JSON, (name, value.as_str())];
        let answer = http.try_send(Method::POST, "/v1/signals", None, &headers, body.clone()).await.unwrap();
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    system.stop();
}
