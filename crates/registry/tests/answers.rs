//! What the client makes of answers that a real registry gives seldom: it is down, slow, busy, or something else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use hindcast_registry::{ConfluentRegistry, RegistryConfig};
use hindcast_schemas::Registry;

/// Gives these answers, one for each request, the last one for ever; keeps what it was asked.
fn answering(answers: &'static [(u16, &'static str)]) -> (RegistryConfig, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/base/", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push(head);
            let (status, text) = answers[number.min(answers.len() - 1)];
            let length = text.len();
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}")
                .unwrap();
        }
    });
    (RegistryConfig { url, timeout_ms: 600, ..RegistryConfig::default() }, asked)
}

fn open(config: &RegistryConfig) -> ConfluentRegistry {
    ConfluentRegistry::new(config).unwrap()
}

#[test]
fn a_registry_that_is_down_is_told_of_in_time_and_can_be_asked_again() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in ["127.0.0.1:1".to_owned(), silent.local_addr().unwrap().to_string()] {
        let url = format!("http://{address}");
        let registry = open(&RegistryConfig { url: url.clone(), timeout_ms: 400, ..RegistryConfig::default() });
        let since = Instant::now();
        let errors = [registry.schema_of(1).unwrap_err(), registry.id_of("s", "{}").unwrap_err()];
        assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
        for error in errors {
            assert!(error.retryable && error.detail.starts_with(&url), "{error}");
        }
    }
}

#[test]
fn what_passes_is_waited_for() {
    let (config, asked) =
        answering(&[(503, "busy"), (500, "{\"error_code\":50001,\"message\":\"m\"}"), (200, "{\"schema\":\"s\"}")]);
    let registry = open(&config);
    assert_eq!(registry.schema_of(7).unwrap().as_deref(), Some("s"));
    assert_eq!(registry.schema_of(7).unwrap().as_deref(), Some("s"), "and never asked for again");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(asked[0].starts_with("GET /base/schemas/ids/7 HTTP/1.1"), "{}", asked[0]);
}

#[test]
fn what_does_not_pass_in_time_is_told() {
    let (config, asked) = answering(&[(503, "{\"error_code\":50003,\"message\":\"no leader\"}")]);
    let error = open(&config).schema_of(7).unwrap_err();
    assert!(error.retryable && error.detail.contains("503 no leader"), "{error}");
    assert!(asked.lock().unwrap().len() > 2);
}

#[test]
fn only_the_registrys_own_word_makes_an_id_unknown() {
    let (config, _) = answering(&[(404, "{\"error_code\":40403,\"message\":\"m\"}")]);
    assert_eq!(open(&config).schema_of(7), Ok(None));
    for answer in [
        &[(404, "<html>no such page</html>")],
        &[(404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}")],
        &[(401, "{\"error_code\":401,\"message\":\"m\"}")],
        &[(200, "{}")],
        &[(200, "<html>welcome</html>")],
    ] as [&'static [(u16, &str)]; 5]
    {
        let (config, _) = answering(answer);
        let error = open(&config).schema_of(7).unwrap_err();
        assert!(error.retryable, "{error}");
    }
}

#[test]
fn credentials_are_sent_and_their_refusal_is_final() {
    let path = std::env::temp_dir().join(format!("hindcast-password-{}", uuid::Uuid::now_v7()));
    std::fs::write(&path, " sesame\n").unwrap();
    let (config, asked) = answering(&[(401, "Unauthorized")]);
    let config = RegistryConfig { username: Some("aladdin".into()), password_file: Some(path.clone()), ..config };
    let error = open(&config).id_of("s", "{}").unwrap_err();
    std::fs::remove_file(path).unwrap();
    assert!(!error.retryable && error.detail.contains("refuses our credentials"), "{error}");
    assert!(!error.detail.contains("sesame"));
    let asked = asked.lock().unwrap();
    assert!(asked[0].to_ascii_lowercase().contains("authorization: basic ywxhzgrpbjpzzxnhbwu="), "{}", asked[0]);
}

#[test]
fn a_bad_configuration_is_told_of() {
    let good = RegistryConfig::default();
    for (bad, part) in [
        (RegistryConfig { url: "127.0.0.1:8081".into(), ..good.clone() }, "http://"),
        (RegistryConfig { timeout_ms: 0, ..good.clone() }, "timeout_ms"),
        (RegistryConfig { username: Some("me".into()), ..good.clone() }, "password_file"),
        (RegistryConfig { url: "https://127.0.0.1:8081".into(), ..good.clone() }, "https"),
        (RegistryConfig { ca_file: Some("/not/there".into()), ..good }, "ca_file"),
    ] {
        let refused = ConfluentRegistry::new(&bad).unwrap_err().to_string();
        assert!(refused.starts_with("registry: ") && refused.contains(part), "{refused}");
    }
}
