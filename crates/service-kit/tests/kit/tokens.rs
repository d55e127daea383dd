//! Tokens: what makes one good, and every way of making one up.

use std::time::Duration;

use hindcast_control::ControlConfig;
use hindcast_domain::TimestampUs;
use hindcast_service_kit::{
    auth::{AuthConfig, NewKey},
    clock::now_us,
    server::ServerConfig,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::service::{Answer, SEED, SIGNAL, Service, x_api_key};

fn ed25519(seed: &str) -> EncodingKey {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend((0..64).step_by(2).map(|at| u8::from_str_radix(&seed[at..at + 2], 16).unwrap()));
    EncodingKey::from_ed_der(&der)
}

fn now_s() -> i64 {
    now_us().0 / 1_000_000
}

/// The claims that the service would make for a key of `trader-1`.
fn claims(key: &NewKey) -> Value {
    json!({
        "sub": "trader-1", "key_id": key.id, "scopes": ["trade"],
        "iat": now_s(), "exp": now_s() + 900, "iss": "hindcast", "aud": "hindcast",
    })
}

fn signed(algorithm: Algorithm, kid: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

/// base64url without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let sixes = bits.as_bytes().chunks(6).map(|six| format!("{:0<6}", String::from_utf8_lossy(six)));
    sixes.map(|six| char::from(ALPHABET[usize::from_str_radix(&six, 2).unwrap()])).collect()
}

async fn ask(service: &Service, token: &str) -> Answer {
    service.post("/v1/signals", &[&format!("authorization: Bearer {token}")], SIGNAL).await
}

async fn token_of(service: &Service, key: &NewKey) -> (String, u64) {
    let answer = service.send(&crate::service::request("POST", "/v1/auth/token", &[&x_api_key(key)], b"")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let issued = answer.json();
    assert_eq!(issued["token_type"], "Bearer");
    (issued["access_token"].as_str().unwrap().to_owned(), issued["expires_in"].as_u64().unwrap())
}

/// No limit of failures: these tests fail on purpose.
async fn patient() -> Service {
    let auth =
        AuthConfig { failures_per_minute: 10_000, requests_per_minute: 10_000, burst: 10_000, ..AuthConfig::default() };
    Service::start_with(auth, ControlConfig::default(), ServerConfig::default()).await
}

#[tokio::test]
async fn a_token_stands_for_its_key() {
    let service = patient().await;
    let key = service.key("trader-1", &["trade"]).await;
    let (token, lifetime_s) = token_of(&service, &key).await;
    assert_eq!(lifetime_s, 900);
    for _ in 0..2 {
        let answer = ask(&service, &token).await;
        assert_eq!((answer.status, &answer.json()["via_token"]), (200, &Value::Bool(true)), "{answer:?}");
    }
    // A token can't be made to last by exchanging it.
    let bearer = format!("authorization: Bearer {token}");
    let again = crate::service::request("POST", "/v1/auth/token", &[&bearer], b"");
    service.send(&again).await.problem(403, "forbidden");
    service.revoke(&key).await;
    ask(&service, &token).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_token_ends_with_its_key_and_by_itself() {
    let service = patient().await;
    let in_two_seconds = TimestampUs(now_us().0 + 2_000_000);
    let short = service.key_with("trader-1", &["trade"], Some(in_two_seconds), None).await;
    let (token, lifetime_s) = token_of(&service, &short).await;
    assert!(lifetime_s <= 2, "{lifetime_s}");
    let key = service.key("trader-1", &["trade"]).await;
    let mut claims = claims(&key);
    claims["exp"] = json!(now_s() + 2);
    let ending = signed(Algorithm::EdDSA, Some("now"), &claims, &ed25519(SEED));
    for token in [&token, &ending] {
        // Good when looked at first, so that it is remembered as such.
        assert_eq!(ask(&service, token).await.status, 200);
    }
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for token in [&token, &ending] {
        let problem = ask(&service, token).await.problem(401, "unauthorized");
        assert_eq!(problem["detail"], "the token has expired");
    }
}

#[tokio::test]
async fn tokens_of_the_previous_key_are_good_and_allow_what_their_api_key_allows() {
    let service = patient().await;
    let key = service.key("trader-1", &["trade"]).await;
    let before = ed25519(&"02".repeat(32));
    let mut claims = claims(&key);
    claims["scopes"] = json!(["trade", "admin"]);
    let token = signed(Algorithm::EdDSA, Some("before"), &claims, &before);
    assert_eq!(ask(&service, &token).await.status, 200);
    let bearer = format!("authorization: Bearer {token}");
    service.get("/admin", &[&bearer]).await.problem(403, "forbidden");
    claims["scopes"] = json!([]);
    let token = signed(Algorithm::EdDSA, Some("before"), &claims, &before);
    ask(&service, &token).await.problem(403, "forbidden");
}

#[tokio::test]
async fn made_up_tokens_are_refused() {
    let service = patient().await;
    let key = service.key("trader-1", &["trade"]).await;
    let (good, good_key) = (claims(&key), ed25519(SEED));
    let changed = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        signed(Algorithm::EdDSA, Some("now"), &claims, &good_key)
    };
    let without = |field: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(field);
        signed(Algorithm::EdDSA, Some("now"), &claims, &good_key)
    };
    let whole = signed(Algorithm::EdDSA, Some("now"), &good, &good_key);
    let parts: Vec<_> = whole.split('.').collect();
    let body = base64(good.to_string().as_bytes());
    let none = base64(br#"{"alg": "none", "typ": "JWT", "kid": "now"}"#);
    let public = service.get("/v1/auth/jwks", &[]).await.json()["keys"][0]["x"].as_str().unwrap().to_owned();
    let hmac_by_public = |secret: &[u8]| {
        let secret = EncodingKey::from_secret(secret);
        signed(Algorithm::HS256, Some("now"), &good, &secret)
    };
    assert_eq!(ask(&service, &whole).await.status, 200);
    for (token, what) in [
        (format!("{none}.{body}."), "no algorithm"),
        (format!("{none}.{body}.{}", parts[2]), "no algorithm, with a signature"),
        (hmac_by_public(public.as_bytes()), "the public key as a shared secret"),
        (hmac_by_public(SEED.as_bytes()), "another algorithm"),
        (signed(Algorithm::EdDSA, Some("now"), &good, &ed25519(&"03".repeat(32))), "another key under a known kid"),
        (signed(Algorithm::EdDSA, Some("before"), &good, &good_key), "the wrong kid"),
        (signed(Algorithm::EdDSA, Some("other"), &good, &good_key), "an unknown kid"),
        (signed(Algorithm::EdDSA, None, &good, &good_key), "no kid"),
        (format!("{}.{body}x.{}", parts[0], parts[2]), "a changed body"),
        (
            format!(
                "{}.{}.{}",
                parts[0],
                base64(good.to_string().replace("trader-1", "trader-2").as_bytes()),
                parts[2]
            ),
            "another user",
        ),
        (changed("exp", json!(now_s() - 1)), "expired"),
        (changed("exp", json!("tomorrow")), "an end that is no number"),
        (changed("iat", json!(now_s() + 3_600)), "issued in the future"),
        (changed("nbf", json!(now_s() + 3_600)), "not good yet"),
        (changed("aud", json!("someone")), "for someone else"),
        (changed("iss", json!("someone")), "by someone else"),
        (changed("sub", json!("trader-2")), "a user whose key it is not"),
        (changed("key_id", json!("kunknown")), "an unknown key"),
        (without("exp"), "no end"),
        (without("iat"), "no beginning"),
        (without("aud"), "for nobody"),
        (without("iss"), "by nobody"),
        (without("sub"), "no user"),
        (without("key_id"), "no key"),
        (without("scopes"), "no scopes"),
        ("a.b.c".to_owned(), "nonsense"),
        ("...".to_owned(), "dots"),
        (format!("{}.{}", parts[0], parts[1]), "no signature"),
    ] {
        let answer = ask(&service, &token).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        answer.problem(401, "unauthorized");
        assert!(!answer.body.contains(parts[2]), "{what}");
    }
}

#[tokio::test]
async fn the_public_keys_are_there_for_everyone() {
    let service = Service::start().await;
    let answer = service.get("/v1/auth/jwks", &[]).await;
    let keys = answer.json();
    let kids: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, ["now", "before"]);
    assert!(!answer.body.contains(SEED) && keys["keys"][0].get("d").is_none(), "{keys}");
}
