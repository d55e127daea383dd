//! Tokens that must not work.

use std::path::Path;

use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Http, with};

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(index).unwrap())).unwrap()
}

/// Tokens that somebody without the signing key can make.
pub(crate) async fn forged_tokens(http: &Http, token: &str) -> Vec<(&'static str, String)> {
    let (header, claims) = (part(token, 0), part(token, 1));
    let kid = header["kid"].as_str().unwrap().to_owned();
    let jwks = http.try_send(Method::GET, "/v1/auth/jwks", None, &[], "").await.unwrap().json();
    let public = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    let public = public["x"].as_str().unwrap().to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    let unsigned = |header: Value| format!("{}.{}", base64url(header.to_string().as_bytes()), parts[1]);
    let with_kid = |algorithm| Header { kid: Some(kid.clone()), ..Header::new(algorithm) };
    let by_secret =
        |secret: &[u8]| encode(&with_kid(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret)).unwrap();
    let other_key = EncodingKey::from_ed_der(&pkcs8(&[7; 32]));
    let promoted = with(claims.clone(), json!({"scopes": ["trade", "admin", "replay"]}));
    let other_user = with(claims.clone(), json!({"sub": "careless-2"}));
    let body = |claims: &Value| base64url(claims.to_string().as_bytes());
    vec![
        ("alg none", format!("{}.", unsigned(json!({"alg": "none", "typ": "JWT", "kid": kid})))),
        ("alg None with the old signature", format!("{}.{}", unsigned(json!({"alg": "None", "kid": kid})), parts[2])),
        ("signed by another key", encode(&with_kid(Algorithm::EdDSA), &claims, &other_key).unwrap()),
        ("signed by another key, which it brings along", {
            let header = json!({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": public}, "kid": "other"});
            format!("{}.{}", unsigned(header), parts[2])
        }),
        ("HS256 with the public key as secret", by_secret(&from_base64url(&public))),
        ("HS256 with the public key's text as secret", by_secret(public.as_bytes())),
        ("HS256 with an empty secret", by_secret(b"")),
        ("an unknown kid", format!("{}.{}", unsigned(json!({"alg": "EdDSA", "typ": "JWT", "kid": "other"})), parts[2])),
        ("no kid", format!("{}.{}", unsigned(json!({"alg": "EdDSA", "typ": "JWT"})), parts[2])),
        ("more scopes than were signed", format!("{}.{}.{}", parts[0], body(&promoted), parts[2])),
        ("another user than was signed", format!("{}.{}.{}", parts[0], body(&other_user), parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("a fourth part", format!("{token}.{}", parts[2])),
    ]
}

/// Tokens that are signed by the right key and wrong all the same.
pub(crate) fn own_keys(data: &Path, token: &str) -> Vec<(&'static str, String)> {
    let (header, claims) = (part(token, 0), part(token, 1));
    let file = walk(data).into_iter().find_map(|file| {
        let text: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        text["keys"][0]["seed"].as_str().map(str::to_owned)
    });
    let seed = file.expect("the data folder holds the signing key");
    let seed: Vec<u8> = (0..32).map(|byte| u8::from_str_radix(&seed[byte * 2..byte * 2 + 2], 16).unwrap()).collect();
    let key = EncodingKey::from_ed_der(&pkcs8(&seed));
    let kid = header["kid"].as_str().map(str::to_owned);
    let sign =
        |claims: &Value| encode(&Header { kid: kid.clone(), ..Header::new(Algorithm::EdDSA) }, claims, &key).unwrap();
    assert_eq!(sign(&claims).split('.').count(), 3);
    let now = claims["iat"].as_u64().unwrap();
    let changed = |fields: Value| sign(&with(claims.clone(), fields));
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        sign(&claims)
    };
    vec![
        ("an expired token", changed(json!({"exp": now - 1, "iat": now - 900}))),
        ("a token of another issuer", changed(json!({"iss": "somebody-else"}))),
        ("a token for somebody else", changed(json!({"aud": "somebody-else"}))),
        ("a token that is not valid yet", changed(json!({"nbf": now + 3_600}))),
        ("a token of a key that does not exist", changed(json!({"key_id": "knothing"}))),
        ("a token for another user than its key's", changed(json!({"sub": "careless-2"}))),
        ("a token without an end", without("exp")),
        ("a token without a user", without("sub")),
        ("a token without an issuer", without("iss")),
        ("a token without an audience", without("aud")),
    ]
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// An Ed25519 private key as RFC 8410 writes it.
fn pkcs8(seed: &[u8]) -> Vec<u8> {
    let head = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [head.as_slice(), seed].concat()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, index| bits << 8 | usize::from(chunk.get(index).copied().unwrap_or(0)));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[bits >> (18 - 6 * index) & 63]));
        }
    }
    text
}

fn from_base64url(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|&known| known == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}
