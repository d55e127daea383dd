//! API keys and tokens: what they allow, when they end, and what becomes of those who guess.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Answer, Http, Server, signal, with};

struct System {
    server: Server,
    http: Http,
    _folder: tempfile::TempDir,
}

impl System {
    fn start(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_with(&folder.path().join("data"), environment);
        let http = Http::new(&server.url);
        Self { server, http, _folder: folder }
    }

    async fn send(&self, method: Method, path: &str, bearer: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {bearer}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        self.http.try_send(method, path, None, &headers, body.to_string()).await.unwrap()
    }

    async fn token(&self, key: &str) -> Value {
        let answer = self.http.try_send(Method::POST, "/v1/auth/token", Some(key), &[], "").await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.json()
    }

    async fn revoke(&self, id: &Value) {
        let path = format!("/admin/v1/keys/{}", id.as_str().unwrap());
        let answer =
            self.http.try_send(Method::DELETE, &path, Some(&self.http.operator().await), &[], "").await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.json()["revoked_at"].is_string(), "{answer:?}");
    }
}

async fn new_key(http: &Http, user: &str, scopes: &[&str], fields: Value) -> Value {
    let body = with(json!({"user_id": user, "scopes": scopes}), fields);
    http.new_key(&http.operator().await, &body).await
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}"))
}

#[tokio::test]
async fn a_token_stands_for_its_key_until_the_key_is_revoked() {
    let system = System::start(&[]);
    let http = &system.http;
    let key = new_key(http, "token-owner", &["trade"], json!({})).await;
    let other = new_key(http, "token-owner", &["trade"], json!({})).await;
    for field in ["id", "user_id", "key"] {
        assert!(!text(&key, field).is_empty());
    }
    assert_eq!((&key["scopes"], &key["expires_at"]), (&json!(["trade"]), &Value::Null), "{key}");
    assert!(text(&key, "key").starts_with("hc_"));

    let issued = system.token(text(&key, "key")).await;
    assert_eq!((&issued["token_type"], &issued["expires_in"]), (&json!("Bearer"), &json!(900)), "{issued}");
    let token = text(&issued, "access_token").to_owned();
    let answer = system.send(Method::POST, "/v1/signals", &token, &signal("ES")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    // The key itself is taken there too, and in the other header.
    assert_eq!(system.send(Method::GET, "/v1/views/ES", text(&key, "key"), &Value::Null).await.status, StatusCode::OK);
    assert_eq!(http.get("/v1/views/ES", text(&key, "key")).await.status, StatusCode::OK);
    // A token gives no further token.
    let answer = system.send(Method::POST, "/v1/auth/token", &token, &Value::Null).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    // A token has the scopes of its key, no more.
    let answer = system.send(Method::GET, "/admin/v1/status", &token, &Value::Null).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    // Another user is refused with a token as well.
    let body = with(signal("ES"), json!({"user_id": "somebody-else"}));
    assert_eq!(system.send(Method::POST, "/v1/signals", &token, &body).await.status, StatusCode::FORBIDDEN);

    system.revoke(&key["id"]).await;
    let revoked = Instant::now();
    loop {
        let by_token = system.send(Method::GET, "/v1/views/ES", &token, &Value::Null).await;
        let by_key = http.get("/v1/views/ES", text(&key, "key")).await;
        if by_token.status == StatusCode::UNAUTHORIZED && by_key.status == StatusCode::UNAUTHORIZED {
            assert_eq!(by_token.problem()["type"], "/problems/unauthorized");
            assert!(by_token.header("www-authenticate").is_some());
            break;
        }
        assert!(revoked.elapsed() < Duration::from_secs(1), "still good a second after: {by_token:?} {by_key:?}");
    }
    system.revoke(&key["id"]).await;
    let list = http.get("/admin/v1/keys", &http.operator().await).await.json();
    let listed = |id: &Value| list["keys"].as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap().clone();
    assert!(listed(&key["id"])["revoked_at"].is_string() && listed(&other["id"])["revoked_at"].is_null(), "{list}");
    assert!(!list.to_string().contains(text(&other, "key")), "no secret is ever told again");
    // The user's other key is as good as before.
    assert_eq!(http.get("/v1/views/ES", text(&other, "key")).await.status, StatusCode::OK);
    let nobodys = http.try_send(Method::DELETE, "/admin/v1/keys/knothing", Some(&http.operator().await), &[], "").await;
    assert_eq!(nobodys.unwrap().status, StatusCode::NOT_FOUND);
    system.server.stop();
}

#[tokio::test]
async fn keys_and_their_tokens_end_when_they_expire() {
    let system = System::start(&[]);
    let http = &system.http;
    let began = Instant::now();
    let key = new_key(http, "short-lived", &["trade"], json!({"expires_in_s": 3})).await;
    assert!(key["expires_at"].is_string(), "{key}");
    let issued = system.token(text(&key, "key")).await;
    assert!((1..=3).contains(&issued["expires_in"].as_u64().unwrap()), "no longer than the key: {issued}");
    let token = text(&issued, "access_token");
    let answer = system.send(Method::GET, "/v1/views/ES", token, &Value::Null).await;
    assert!(answer.status == StatusCode::OK || began.elapsed() > Duration::from_secs(2), "{answer:?}");
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    for answer in [
        system.send(Method::GET, "/v1/views/ES", token, &Value::Null).await,
        http.get("/v1/views/ES", text(&key, "key")).await,
    ] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        assert!(text(&answer.problem(), "detail").contains("expired"), "{answer:?}");
    }
    system.server.stop();
}

#[tokio::test]
async fn scopes_include_nothing_else() {
    let system = System::start(&[]);
    let http = &system.http;
    let reads = [("/v1/views/ES", "trade"), ("/v1/activity", "trade"), ("/api/ml/stats", "trade")];
    let reads = reads.into_iter().chain([
        ("/v1/journal?partition=0", "replay"),
        ("/admin/v1/status", "admin"),
        ("/admin/v1/keys", "admin"),
        ("/admin/v1/dead-letters?partition=0", "admin"),
    ]);
    for scope in ["trade", "replay", "admin"] {
        let key = http.key("scoped", &[scope], Some(1_000)).await;
        let token = system.token(&key).await;
        for (path, needed) in reads.clone() {
            for credential in [key.as_str(), text(&token, "access_token")] {
                let answer = system.send(Method::GET, path, credential, &Value::Null).await;
                let wanted = if needed == scope { StatusCode::OK } else { StatusCode::FORBIDDEN };
                assert_eq!(answer.status, wanted, "{path} with the scope {scope}: {answer:?}");
            }
        }
        let answer = http.post("/v1/signals", &key, &signal("ES")).await;
        let wanted = if scope == "trade" { StatusCode::CREATED } else { StatusCode::FORBIDDEN };
        assert_eq!(answer.status, wanted, "writing with the scope {scope}: {answer:?}");
    }
    system.server.stop();
}

#[tokio::test]
async fn the_public_keys_verify_the_tokens() {
    let system = System::start(&[]);
    let jwks = system.http.try_send(Method::GET, "/v1/auth/jwks", None, &[], "").await.unwrap();
    assert_eq!(jwks.status, StatusCode::OK, "{jwks:?}");
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&jwks.body).unwrap();
    let key = system.http.trader("verified").await;
    let issued = system.token(&key).await;
    let token = text(&issued, "access_token");
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.expect("the header names the key");
    let public = jsonwebtoken::DecodingKey::from_jwk(jwks.find(&kid).expect("it is published")).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["hindcast"]);
    let claims = jsonwebtoken::decode::<Value>(token, &public, &validation).unwrap().claims;
    assert_eq!((text(&claims, "sub"), text(&claims, "iss")), ("verified", "hindcast"));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 900);
    let told = serde_json::to_string(&jwks).unwrap();
    assert!(!told.contains("\"d\""), "no private part: {told}");
    system.server.stop();
}

#[tokio::test]
async fn an_address_that_guesses_is_turned_away_before_any_key_is_looked_up() {
    let proxied = System::start(&[("HINDCAST_AUTH__TRUSTED_PROXIES", "[\"127.0.0.1\"]")]);
    let key = proxied.http.trader("behind-the-proxy").await;
    let http = &proxied.http;
    let ask = async |address: &str, key: &str| {
        let headers = [("x-forwarded-for", address)];
        http.try_send(Method::GET, "/v1/views/ES", Some(key), &headers, "").await.unwrap()
    };
    let began = Instant::now();
    let mut failures = 0;
    let turned_away = loop {
        let answer = ask("203.0.113.9", &format!("hc_guess_{failures}")).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        failures += 1;
        assert!(failures <= 62 + began.elapsed().as_secs(), "60 a minute: {failures} in {:?}", began.elapsed());
    };
    assert!(failures >= 60, "{failures}");
    assert!(turned_away.header("retry-after").is_some(), "{turned_away:?}");
    turned_away.problem();
    // Even a good key is not looked up any more from there; from elsewhere it is.
    let mut answer = ask("203.0.113.9", &key).await;
    if answer.status == StatusCode::OK {
        // One a second is given back.
        ask("203.0.113.9", "hc_guess_again").await;
        ask("203.0.113.9", "hc_guess_again").await;
        answer = ask("203.0.113.9", &key).await;
    }
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert_eq!(ask("203.0.113.10", &key).await.status, StatusCode::OK);
    // Having waited as long as it was told, the address is let in again.
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(ask("203.0.113.9", &key).await.status, StatusCode::OK);
    proxied.server.stop();

    // Without a trusted proxy the header is anybody's to make up.
    let plain = System::start(&[("HINDCAST_AUTH__FAILURES_PER_MINUTE", "3")]);
    let mut statuses = Vec::new();
    for guess in 0..8 {
        let address = format!("203.0.113.{guess}");
        let headers = [("x-forwarded-for", address.as_str())];
        let answer = plain.http.try_send(Method::GET, "/v1/views/ES", Some("hc_guess_x"), &headers, "").await.unwrap();
        statuses.push(answer.status.as_u16());
    }
    assert!(statuses.ends_with(&[429, 429]), "{statuses:?}");
    plain.server.stop();
}

#[test]
fn the_first_key_is_shown_once_or_brought_along() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || {
        let mut child = support::command()
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        (Server { url: text(&told, "listening").to_owned(), child, told: told.clone() }, told)
    };
    let (server, told) = start();
    let key = text(&told, "admin_key").to_owned();
    let status = |url: &str| support::runtime().block_on(Http::new(url).get("/admin/v1/status", &key)).status;
    assert_eq!(status(&server.url), StatusCode::OK);
    server.stop();
    let (server, told) = start();
    assert!(told["admin_key"].is_null(), "shown once: {told}");
    assert_eq!(status(&server.url), StatusCode::OK);
    server.stop();
}
